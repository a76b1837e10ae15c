// SPDX-License-Identifier: Apache-2.0
// The statements of tracked sources enter each table by key, whatever the planner knew when it planned them.

import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct TrackedPlanTests {
    /// A fresh installation is analysed while its tables are empty. A connection keeps the plans it made then.
    @Test func `statements planned on empty analysed tables walk no table`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            var clock = FairClock()
            let words = try [Said.joins("o1", 10), .deleted(20)].map { try $0.word() }
            let batch = TrackedStatement.batch(of: words, &clock)
            #expect(batch.statements.count == 5, "people, users, two writes, and what a revoke closes")
            let replay = TrackedStatement.batch(of: words, settling: .replay, &clock)
            try await database.pool.withConnection { connection in
                for (place, statement) in (batch.statements + replay.statements).enumerated() {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.isEmpty, "\(place): \(plan)")
                }
            }
        }
    }
}
