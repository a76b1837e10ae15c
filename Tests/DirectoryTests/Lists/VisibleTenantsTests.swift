// SPDX-License-Identifier: Apache-2.0
// Which tenants a key sees: each of the two walls holds a tenant's key back alone.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct VisibleTenantsTests {
    private static func seen(
        by reach: Caller.Reach, comparesTenants: Bool, _ queries: Queries
    ) async throws -> [String] {
        let caller = Caller(keyID: "k", reach: reach, scopes: [.usersRead])
        let page = try await queries.tenants.page(
            for: caller, comparesTenants: comparesTenants, after: nil, limit: 50)
        return page.tenants.map(\.tenant)
    }

    @Test func `a tenant's key sees its own tenant by each wall alone, and an operator's key sees all`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            let other = try TenantID("globex")
            try await database.insert(Ledger.tenant(), Ledger.tenant(other))
            let both = [testTenant.rawValue, other.rawValue]
            for own in [testTenant, other] {
                for comparesTenants in [true, false] {
                    let seen = try await Self.seen(by: .tenant(own), comparesTenants: comparesTenants, queries)
                    #expect(seen == [own.rawValue], "first wall: \(comparesTenants)")
                }
            }
            let all = try await Self.seen(by: .allTenants, comparesTenants: true, queries)
            #expect(all == both)
            try await database.insert("alter table dialtone.tenants disable row level security")
            for own in [testTenant, other] {
                let first = try await Self.seen(by: .tenant(own), comparesTenants: true, queries)
                #expect(first == [own.rawValue], "the first wall alone")
                let none = try await Self.seen(by: .tenant(own), comparesTenants: false, queries)
                #expect(none == both, "no wall is left, so the test would see a missing one")
            }
        }
    }
}
