// SPDX-License-Identifier: Apache-2.0
// What a source that several tenants share has sent in vain is told to an operator, and to no tenant.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct SharedSourcesTests {
    private static let source = "00000000-0000-0000-0000-00000000000a"
    private static let tenant = Reader(tenant: testTenant)
    private static let operators = Reader(tenant: testTenant, key: "k", seesShared: true)

    /// A shared source that was refused something, and that has told of users of two tenants.
    private static func with(_ work: (Queries, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(), Ledger.tenant(try TenantID("globex")),
                """
                insert into dialtone.sources (source_id, tenant_id, allowed_tenants, slug, hook_id, preset)
                values (\(Self.source)::uuid, null, array['acme', 'globex'], 'everybody', 'hk_1', 'standard')
                """,
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                values (date_trunc('minute', now()), \(Self.source)::uuid, 41, now(), 1, 'refused', 'proof_signature')
                """,
                """
                insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                             outcome)
                select now(), gen_random_uuid(), \(Self.source)::uuid, 'msg_' || tenant, tenant, 'u-1', 'live',
                       'accepted'
                from unnest(array['acme', 'globex']) as tenant
                """)
            try await work(try DirectoryBed.queries(database).queries, database)
        }
    }

    private static let ada = UserKey(tenant: testTenant, user: testUser)

    @Test func `an operator is told what a shared source was refused, and a tenant whom to ask`() async throws {
        try await Self.with { queries, _ in
            let told = try await queries.reasons.why(Self.ada, as: Self.operators)
            #expect(told.text.contains("everybody, which several tenants share,") && told.text.contains("41 times"))
            let hidden = try await queries.reasons.why(Self.ada, as: Self.tenant)
            #expect(!hidden.text.contains("everybody") && hidden.text.contains("is an operator's to look at"))
        }
    }

    @Test func `what the tenant's own source was refused is told first`() async throws {
        try await Self.with { queries, database in
            let own = "00000000-0000-0000-0000-00000000000b"
            try await database.insert(
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values (\(own)::uuid, 'acme', 'own-app', 'hk_2', 'standard')
                """,
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                values (date_trunc('minute', now()), \(own)::uuid, 1, now() - interval '1 hour', 1, 'refused',
                        'too_large')
                """)
            let told = try await queries.reasons.why(Self.ada, as: Self.operators)
            #expect(told.text.contains("own-app") && !told.text.contains("everybody"))
        }
    }

    @Test func `a shared source that may not speak for the tenant is left out`() async throws {
        try await Self.with { queries, database in
            try await database.insert("update dialtone.sources set allowed_tenants = array['globex']")
            let told = try await queries.reasons.why(Self.ada, as: Self.operators)
            #expect(!told.text.contains("everybody") && told.text.contains("this tenant's own and shared"))
        }
    }

    @Test(arguments: ["msg_acme", "everybody:msg_acme"])
    func `an operator finds a delivery of a shared source by its sender's id`(text: String) async throws {
        try await Self.with { queries, _ in
            let found = try await queries.finder.find(text, in: testTenant, as: Self.operators)
            #expect(found.map(\.kind) == ["event"] && found.map(\.userID) == ["u-1"])
            let hidden = try await queries.finder.find(text, in: testTenant, as: Self.tenant)
            #expect(hidden.isEmpty)
        }
    }

    @Test func `an operator who names a tenant finds no event of another`() async throws {
        try await Self.with { queries, _ in
            let found = try await queries.finder.find("msg_globex", in: testTenant, as: Self.operators)
            #expect(found.isEmpty)
        }
    }

    @Test(arguments: [Caller.Reach.allTenants, .tenant(testTenant)])
    func `a reader sees shared sources when its key is an operator's`(reach: Caller.Reach) {
        let caller = Caller(keyID: "k", reach: reach, scopes: [.usersRead])
        #expect(Reader(caller, naming: testTenant).seesShared == (reach == .allTenants))
    }
}
