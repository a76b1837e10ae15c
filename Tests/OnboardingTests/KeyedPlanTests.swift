// SPDX-License-Identifier: Apache-2.0
// The statements of every sign-up enter each large table by key, whatever the planner knew when it planned them.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

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

    private static var statements: [(String, SQL)] {
        let user = UserKey(tenant: testTenant, user: testUser)
        let events = [Wanted.live, .gone].map { wanted in
            NewEvent(
                id: EventID(at: Date()), source: SourceID(rawValue: UUID()), deliveryID: "d-\(wanted)",
                receivedAt: Date(),
                owner: "acme", change: UserChange(user: user, wanted: wanted, occurredAt: Date()))
        }
        var statements: [(String, SQL)] = [("insert", EventStatement.insert(events, places: ["acme": 1]))]
        if let amend = EventStatement.amend(events) { statements.append(("amend", amend)) }
        return statements
    }
}
