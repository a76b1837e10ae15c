// SPDX-License-Identifier: Apache-2.0
// The reason of a user who is gone names the source that has told so, where it is the tenant's own.

import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct RemovedReasonTests {
    @Test func `who is gone by the word of a source is told by which`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            try await DirectoryBed.add(["gone"], .revoked, database)
            try await database.insert(
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values ('00000000-0000-0000-0000-00000000000a', 'acme', 'acme-app', 'hk_1', 'standard')
                """, "update dialtone.users set told_by = '00000000-0000-0000-0000-00000000000a'")
            let (queries, _) = try DirectoryBed.queries(database)
            let gone = UserKey(tenant: testTenant, user: try UserID("gone"))
            let why = try await queries.reasons.why(gone, as: Reader(tenant: testTenant))
            #expect(why.code == .removed && why.text == "was removed, as acme-app has told")
            try await database.insert("update dialtone.sources set tenant_id = null, allowed_tenants = '{acme}'")
            let shared = try await queries.reasons.why(gone, as: Reader(tenant: testTenant))
            #expect(shared.text == "was removed")
        }
    }
}
