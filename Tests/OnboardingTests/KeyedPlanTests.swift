// SPDX-License-Identifier: Apache-2.0
// The statements of every sign-up enter each large table by key, whatever the planner knew when it planned them.

import Foundation
import Lifecycle
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct KeyedPlanTests {
    /// Tables of a row or two, whatever the number of users.
    private static let small: Set<String> = ["incarnation", "installation", "workers"]

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

    /// An index that begins with the tenant serves any statement about one of its users, as far as a plan knows that is
    /// made while the table is empty. It would walk all users of the tenant.
    @Test func `statements planned on empty tables enter no index that is made for lists`() async throws {
        let ofLists: Set<String> = [
            "credentials_username", "users_received", "events_user", "events_tenant", "jobs_dead_user",
        ]
        try await TestDatabase.with { database in
            for isAnalyzed in [false, true] {
                if isAnalyzed { try await database.admin.script("vacuum analyze") }
                try await database.pool.withConnection { connection in
                    for (name, statement) in Self.statements {
                        let plan = try await QueryPlan.generic(of: statement, on: connection)
                        #expect(plan.indexes.isDisjoint(with: ofLists), "\(name): \(plan)")
                    }
                }
            }
        }
    }

    private static let user = UserKey(tenant: testTenant, user: testUser)
    private static let lease = Lease(
        job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: .armed)

    private static var statements: [(String, SQL)] {
        Self.intake + Self.claims + Self.visits + Self.trust.enumerated().map { ("trust and surplus \($0)", $1) }
            + Self.finishes.enumerated().map { ("finish \\($0)", $1) } + Self.recovery
    }

    private static var trust: [SQL] {
        TenantTrust.saw(testTenant, shard: 1, era: 1, began: Date()) + TenantTrust.forget(testTenant, shard: 1)
            + TagShards.openNext(for: testTenant, capacity: 980)
            + [
                Surplus.due, Surplus.deleted(ProviderID(rawValue: "p")),
                Surplus.putOff(ProviderID(rawValue: "p"), first: .seconds(1)),
                Surplus.holdBack(ProviderID(rawValue: "p"), for: .seconds(1)),
                Surplus.awaited([ProviderID(rawValue: "p")], of: nil), Surplus.gone(among: [ProviderID(rawValue: "p")]),
                Surplus.ownerIsMissing(ProviderID(rawValue: "q")),
            ] + Self.repairs
    }

    private static var repairs: [SQL] {
        let id = ProviderID(rawValue: "p")
        let found = FoundCredential(id: id, owner: OwnedName(user: Self.user, generation: 1), tag: "acme")
        let surplus = Surplus(ids: [id], user: Self.user, generation: 1, name: "n", tag: "acme")
        return surplus.statements + SweepCorrections.makeLook(found) + SweepCorrections.adopt(found)
            + SweepCorrections.reprovision(Self.user, id, .gone) + [SweepCorrections.reopen(id)]
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
            worker: WorkerID(rawValue: UUID()), era: 1, lease: .seconds(30), landingTime: .seconds(40),
            tagCapacity: 980)
        return [
            ("claim", ClaimedJob.queued(limit: 64, from: .at(1), terms)),
            ("claim in doubt", ClaimedJob.doubtful(limit: 16, terms)),
            ("try again", DeadJob.tryAgain(limit: 500)),
            ("forgotten deletes", ForgottenDeletes.enqueue(after: .init())),
            ("rescue", Rescue.expiredLeases(limit: 500, landingTime: .seconds(40), since: 1)),
            ("demand", TagDemand.putInFront([testTenant])),
            ("renewed lease", Self.lease.renewed(lease: .seconds(30), landingTime: .seconds(40), era: 1)),
        ]
    }

    /// A visit counts its tag for each of ten thousand tags.
    private static var visits: [(String, SQL)] {
        let tag = DueTag(
            tenant: testTenant, shard: 1, isHighest: true, isWanted: false, isSeen: true, isListDue: false, others: 0,
            miscounts: 0, failures: 0, busyFor: nil, period: .seconds(3600), era: 1, began: Date())
        let ends = [VisitOutcome.agreed, .listed(ListedTag())].flatMap {
            VisitEnd(tag: tag, outcome: $0, delay: .seconds(60)).statements
        }
        return [
            ("state of a tag", TagVisit.state(of: tag, ProviderID(rawValue: "p"), landingTime: .seconds(40))),
            ("users without a job", ForgottenUsers.enqueue(after: ForgottenUsers.Place())),
        ] + ends.enumerated().map { ("end of a visit \($0)", $1) }
    }

    private static var recovery: [(String, SQL)] {
        let id = ProviderID(rawValue: "p")
        let back = PutBack(worker: WorkerID(rawValue: UUID()), state: .armed, held: [Self.lease.job], era: 1)
        return [
            ("put back", back.statement), ("missing", MissingStatements.next(after: .init(), settle: .seconds(40))),
            ("state of a missing one", MissingStatements.state(of: id)), ("there again", MissingStatements.isThere(id)),
            ("expiring", ExpiringCredentials.rotate(overlap: .seconds(300), limit: 500)),
        ]
            + SweepCorrections.reprovision(Self.user, id, .gone).enumerated().map {
                ("replacement \($0)", $1)
            }
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
            lease: Self.lease, user: Self.user, reason: "rejected", words: nil, mayExist: true,
            trace: Trace())
        return Evidence.record([evidence]) + [evidence.toSurplus, NextGoal.lookAgain(Self.lease, Self.user)]
            + endings.flatMap {
                Ending(lease: Self.lease, user: Self.user, generation: 1, how: $0, trace: Trace()).statements
            } + burial.statements
            + [Transition.write([Transition(lease: Self.lease, to: .scheduled, delay: .zero)])]
            + [DeadJob.lookNow(Self.user), JobQueue.mustLook(Self.user)]
    }
}
