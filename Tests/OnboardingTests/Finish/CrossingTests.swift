// SPDX-License-Identifier: Apache-2.0
// Intake and finish take the locks of the same users in one order, so neither becomes the victim of a deadlock.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct CrossingTests {
    private static let users = 400

    @Test func `intake and finish of the same users never deadlock`() async throws {
        for round in 0..<4 {
            try await ArmedJob.with(Self.users) { database, jobs in
                let evidence = jobs.map { $0.evidence() }
                let half = evidence.count / 2
                var transactions = [
                    Self.revokes(jobs.reversed()), Evidence.record(Array(evidence[..<half])),
                    Evidence.record(evidence[half...].reversed()),
                ]
                if round.isMultiple(of: 2) { transactions.append([Self.moves(jobs.reversed())]) }
                try await Self.commitTogether(transactions, database)
                let gone = try await database.count("dialtone.users where wanted = 'gone' and status <> 'ready'")
                #expect(gone == Int64(Self.users), "what was asked last is what is wanted")
                let active = try await database.count("dialtone.credentials where status = 'active'")
                #expect(active == 0, "a revoke closes what a finish beside it has recorded")
            }
        }
    }

    /// Runs each transaction once. There is no second try, so the victim of a deadlock would throw.
    private static func commitTogether(_ transactions: [[SQL]], _ database: TestDatabase) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for transaction in transactions { group.addTask { try await database.commit(transaction) } }
            try await group.waitForAll()
        }
    }

    /// What intake writes when one source revokes the users of all these jobs.
    private static func revokes(_ jobs: [ArmedJob]) -> [SQL] {
        let source = SourceID(rawValue: UUID())
        let events = jobs.map { job in
            NewEvent(
                id: EventID(at: Date()), source: source, deliveryID: "d-\(job.user.user)", receivedAt: Date(),
                change: UserChange(user: job.user, wanted: .gone, occurredAt: nil))
        }
        return [EventStatement.insert(events, places: ["acme": 1])] + [EventStatement.amend(events)].compactMap(\.self)
    }

    /// What a worker writes when it puts all these jobs back.
    private static func moves(_ jobs: [ArmedJob]) -> SQL {
        Transition.write(jobs.map { Transition(lease: $0.lease, to: .inDoubt, delay: .zero) })
    }
}
