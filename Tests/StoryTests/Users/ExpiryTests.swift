// SPDX-License-Identifier: Apache-2.0
// Credentials that end on one day are replaced ahead of it, one by one, and nobody is without one at any time.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct ExpiryTests {
    private static let count = 100

    /// The provider's clock goes forward, and the ledger's rows are made older instead of its clock.
    @Test func `users whose credentials end on one day are never without one`() async throws {
        try await Story.with(["DIALTONE_TOKEN_RATE": "10000"]) { story in
            try await Self.liveFor("90d", story)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...Self.count {
                    group.addTask { _ = try await story.send(.created, "u-\(number)", delivery: "d-\(number)") }
                }
                try await group.waitForAll()
            }
            try await story.waitUntil(Self.count, are: .ready)
            // What is made from now on lives longer.
            try await Self.liveFor("365d", story)
            try await Self.pass(days: 87, story)
            try await Self.expectTokens(story)
            // A node that starts replaces what is due.
            try await story.withSecondNode { _ in
                try await story.until(
                    "select 1 from dialtone.credentials where status = 'active' and generation = 2 having count(*) = 100"
                )
            }
            #expect(try await story.rows("select user_id from dialtone.users where status <> 'ready'").isEmpty)
            // The first ones have ended.
            try await Self.pass(days: 4, story)
            try await Self.expectTokens(story)
        }
    }

    private static func liveFor(_ life: String, _ story: Story) async throws {
        _ = try await story.administration.updateTenant(
            TenantID("acme"), life: try Administration.credentialLife(life))
    }

    private static func pass(days: Int, _ story: Story) async throws {
        let moved = try await story.provider.control(.POST, "clock", "{\"advance_seconds\":\(days * 86_400)}")
        try #require(moved.status == 200)
        _ = try await story.database.admin.query(
            """
            update dialtone.credentials
            set expires_at = expires_at - \(days) * interval '1 day', created_at = created_at - \(days) * interval '1 day'
            """)
    }

    /// Everybody gets a login token of a credential that has not ended.
    private static func expectTokens(_ story: Story) async throws {
        for number in 1...Self.count {
            #expect(try await story.loginToken(for: "u-\(number)").status == 200)
        }
    }
}
