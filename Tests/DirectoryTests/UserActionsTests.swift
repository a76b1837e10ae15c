// SPDX-License-Identifier: Apache-2.0
// What an operator does with one user, and what it leaves as the sender said it.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserActionsTests {
    /// The sender's clock may be behind the database's: its next delete would be older than a time of our own.
    @Test func `revoke and reopen leave the sender's time as it is`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script(
                """
                insert into dialtone.users (tenant_id, user_id, wanted, status, occurred_at, received_at)
                values ('acme', 'u', 'live', 'ready', '2026-01-01', now())
                """)
            let actions = UserActions(pool: database.pool)
            let user = UserKey(tenant: try TenantID("acme"), user: try UserID("u"))
            let untouched: SQL = "select 1 from dialtone.users where occurred_at = '2026-01-01'"
            #expect(try await actions.revoke(user) == .revoking)
            #expect(try await database.admin.query(untouched).count == 1)
            #expect(try await actions.reopen(user) == .pending)
            #expect(try await database.admin.query(untouched).count == 1)
        }
    }
}
