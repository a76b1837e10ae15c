// SPDX-License-Identifier: Apache-2.0
// The statements of every sign-up enter each large table by key, whatever the planner knew when it planned them.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct KeyedPlanTests {
    /// Tables of a row or two, whatever the number of users.
    private static let small: Set<String> = ["incarnation", "installation", "strays", "workers"]

    /// A fresh installation is analysed while its tables are empty. A connection keeps the plans it made then.
    @Test func `statements planned on empty analysed tables walk no table`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                for (name, statement) in Self.statements {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.subtracting(Self.small).isEmpty, "\(name): \(plan)")
                }
            }
        }
    }

    private static let user = UserKey(tenant: testTenant, user: testUser)
    private static let lease = Lease(
        job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: .armed)

    private static var statements: [(String, SQL)] {
        Self.intake + Self.claims + Self.finishes.enumerated().map { ("finish \($0)", $1) } + Self.recovery
    }

    private static var intake: [(String, SQL)] {
        let events = [Wanted.live, .gone].map { wanted in
            NewEvent(
                id: EventID(at: Date()), source: SourceID(rawValue: UUID()), deliveryID: "d-\(wanted)",
                receivedAt: Date(),
                change: UserChange(user: Self.user, wanted: wanted, occurredAt: Date()))
        }
        let amend = EventStatement.amend(events).map { [("amend", $0)] } ?? []
        return [("insert", EventStatement.insert(events, places: ["acme": 1]))] + amend
    }

    private static var claims: [(String, SQL)] {
        let terms = ClaimTerms(
            worker: WorkerID(rawValue: UUID()), started: 1, lease: .seconds(30), landingTime: .seconds(40),
            tagCapacity: 980)
        return [
            ("claim", ClaimedJob.queued(limit: 64, from: .at(1), terms)),
            ("claim in doubt", ClaimedJob.doubtful(limit: 16, terms)),
            ("renewed lease", Self.lease.renewed(lease: .seconds(30), landingTime: .seconds(40))),
        ]
    }

    private static var recovery: [(String, SQL)] {
        let id = ProviderID(rawValue: "p")
        let back = PutBack(worker: WorkerID(rawValue: UUID()), state: .armed, held: [Self.lease.job], started: 1)
        return [
            ("put back", back.statement), ("missing", MissingStatements.next(after: .init(), settle: .seconds(40))),
            ("expiring", ExpiringCredentials.rotate(overlap: .seconds(300), limit: 500)),
        ] + MissingStatements.replace(id, of: Self.user).enumerated().map { ("replacement \($0)", $1) }
    }

    private static var finishes: [SQL] {
        let evidence = Evidence(
            lease: Self.lease, installation: UUID(), user: Self.user, generation: 1,
            providerID: ProviderID(rawValue: "p"), name: "n", tag: "acme", sealedUsername: [1], sealedPassword: [1],
            usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil, trace: Trace())
        let endings: [Ending.How] = [
            .deleted(ProviderID(rawValue: "p")), .absent, .passedOver(after: .zero, isMade: false),
        ]
        let burial = Burial(
            lease: Self.lease, user: Self.user, reason: "rejected", words: nil, name: "n", mayExist: true,
            trace: Trace())
        return Evidence.record([evidence]) + [evidence.toSurplus, NextGoal.lookAgain(Self.lease, Self.user)]
            + endings.flatMap {
                Ending(lease: Self.lease, user: Self.user, generation: 1, how: $0, trace: Trace()).statements
            } + burial.statements
            + [Transition.write([Transition(lease: Self.lease, to: .scheduled, delay: .zero)])]
    }
}
