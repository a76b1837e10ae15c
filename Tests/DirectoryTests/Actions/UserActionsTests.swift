// SPDX-License-Identifier: Apache-2.0
// An operator's action on one user changes what is wanted, and leaves the sender's time as it is.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserActionsTests {
    /// The sender's clock may be behind the database's. Its next delete would then be older than a time of our own.
    @Test func `revoke and reopen leave the sender's time as it is`() async throws {
        try await TestDatabase.with { database in
            let occurredAt = Date(timeIntervalSince1970: 1_767_225_600)
            try await database.insert(Ledger.user(status: .ready, occurredAt: occurredAt))
            let actions = UserActions(pool: database.pool)
            let untouched: SQL = "select 1 from dialtone.users where occurred_at = \(occurredAt)"
            #expect(try await actions.revoke(testUserKey) == .revoking)
            #expect(try await database.admin.query(untouched).count == 1)
            #expect(try await actions.reopen(testUserKey) == .pending)
            #expect(try await database.admin.query(untouched).count == 1)
        }
    }
}
