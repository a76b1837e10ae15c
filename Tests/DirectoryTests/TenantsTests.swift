// SPDX-License-Identifier: Apache-2.0
// A new tenant is trusted from the start only while the ledger cannot have forgotten it.

import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct TenantsTests {
    @Test func `a new tenant is seen from the start while the server has never changed`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.knownServer)
            let tenants = Tenants(pool: database.pool)
            _ = try await tenants.create(try TenantID("early"), connectionID: "1")
            try await database.admin.script("update dialtone.incarnation set has_lost = true")
            _ = try await tenants.create(try TenantID("late"), connectionID: "1")
            let rows = try await database.admin.query(
                """
                select tenant_id || ' ' || (tenants.seen_era is not null) || ' ' || (tag.seen_era is not null) || ' '
                       || (tag.due_at > now() + interval '5 minutes')
                from dialtone.tenants join dialtone.tenant_tags tag using (tenant_id) order by 1
                """
            ).map { try $0.decode(String.self) }
            #expect(rows == ["early true true true", "late false false false"], "the late one is listed at once")
        }
    }
}
