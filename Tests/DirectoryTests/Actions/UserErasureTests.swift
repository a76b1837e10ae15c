// SPDX-License-Identifier: Apache-2.0
// An erased person is named in no table, and only a person of whom nothing is under way can be erased.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserErasureTests {
    /// Longer than other ids, so that it is found in no other value.
    static let name = "person-8c1f6a"
    static let source = UUID()

    private static var user: UserKey {
        get throws { UserKey(tenant: testTenant, user: try UserID(Self.name)) }
    }

    static func erasure(_ database: TestDatabase) -> UserErasure {
        UserErasure(pool: database.pool, settle: .seconds(60))
    }

    /// Lends a database with a tenant, a source of people, and a revoked user with all that such a user may have.
    static func with(_ work: (TestDatabase, UserKey) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let user = try Self.user
            try await database.insert(
                Ledger.tenant(), Ledger.user(user, wanted: .gone, generation: 3, status: .revoked),
                Ledger.credential(ProviderID(rawValue: "p-1"), of: user, generation: 1, status: .deleted),
                Ledger.credential(ProviderID(rawValue: "p-4"), of: user, generation: 4, status: .deleted),
                Ledger.surplus(ProviderID(rawValue: "p-2"), of: user, generation: 2),
                "update dialtone.surplus set deleted_at = now()",
                """
                insert into dialtone.sources (source_id, slug, tenant_id, hook_id, preset, is_tracked, signs_time)
                values (\(Self.source), 'app', \(testTenant), 'hk_app', 'clerk', true, true)
                """,
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                values (now() - interval '1 hour', gen_random_uuid(), \(testTenant), \(Self.name), 3, 'armed', 'ended', 2)
                """,
                "insert into dialtone.provider_limits (scope, rejects, reject_user) values ('account', 1, \(Self.name))",
                """
                insert into dialtone.findings (kind, tenant_id, user_id, generation, provider_id)
                values ('closed', \(testTenant), \(Self.name), 2, 'p-2')
                """,
                """
                insert into dialtone.actions (action_id, generation, action, request_id, tenant_id, user_id)
                values (gen_random_uuid(), 3, 'revoke', 'r-1', \(testTenant), \(Self.name))
                """,
                "insert into dialtone.people (source_id, external_user) values (\(Self.source), \(Self.name))",
                """
                insert into dialtone.memberships (source_id, external_user, external_tenant, state, tenant_id)
                values (\(Self.source), \(Self.name), 'o', 'gone', \(testTenant))
                """)
            for (number, tenant) in ["acme", "acme", "-"].enumerated() {
                try await database.insert(Self.event(number, tenant: tenant))
            }
            try await work(database, user)
        }
    }

    /// The id of the second one's delivery holds the person's. It did something in the tenant besides.
    private static func event(_ number: Int, tenant: String) -> SQL {
        """
        with told as (
            insert into dialtone.events (received_at, event_id, source_id, occurred_at, delivery_id, tenant_id, user_id,
                                         wanted, outcome)
            values (now(), gen_random_uuid(), \(Self.source), now(),
                    \(number == 1 ? "created-\(Self.name)" : "d-\(number)"), \(tenant), \(Self.name), 'live', 'accepted')
            returning event_id)
        insert into dialtone.effects (event_id, tenant_id, user_id, effect)
        select event_id, \(testTenant), \(Self.name), 'live' from told where \(tenant) = '-'
        """
    }

    /// The tables in which a text stands, in any column.
    static func tables(with text: String, _ database: TestDatabase) async throws -> [String] {
        let tables = try await database.admin.query(
            """
            select relname::text from pg_class
            where relnamespace = 'dialtone'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1
            """
        ).map { try $0.decode(String.self) }
        var found: [String] = []
        for table in tables {
            let rows = try await database.admin.query(
                "select 1 from dialtone.\(unsafeText: table) r where strpos(r::text, \(text)) > 0 limit 1")
            if !rows.isEmpty { found.append(table) }
        }
        return found
    }

    @Test func `no table names a person who was erased`() async throws {
        try await Self.with { database, user in
            let before = try await Self.tables(with: Self.name, database)
            #expect(before.count >= 11, "\(before)")
            let report = try await Self.erasure(database).erase(user)
            #expect([report.events, report.keptInSources] == [3, 0])
            #expect(try await Self.tables(with: Self.name, database) == [])
            let kept = try await database.admin.query(
                """
                select concat_ws(' ', outcome, detail, user_id, wanted, left(delivery_id, 7)) from dialtone.events
                order by delivery_id
                """
            ).map { try $0.decode(String.self) }
            #expect(kept == ["ignored erased d-0", "ignored erased d-2", "ignored erased sha256:"])
            await #expect(throws: UserActionError.unknownUser(user)) { try await Self.erasure(database).erase(user) }
        }
    }

    /// Their generations stay closed, and late evidence of them is still known as theirs.
    @Test func `a user without a name keeps the credentials, and new users begin above them`() async throws {
        try await Self.with { database, user in
            _ = try await Self.erasure(database).erase(user)
            let left = try await database.admin.query(
                """
                select concat_ws(' ', owner.wanted, owner.status, owner.wished_by, credential.generation,
                                 credential.provider_id, octet_length(credential.sealed_password), tenant.first_generation)
                from dialtone.users owner join dialtone.credentials credential using (tenant_id, user_id)
                join dialtone.tenants tenant using (tenant_id)
                where owner.user_id ~ '^erased:[0-9a-f-]{36}$' order by credential.generation
                """
            ).map { try $0.decode(String.self) }
            #expect(left == ["gone revoked erased 1 p-1 0 5", "gone revoked erased 4 p-4 0 5"])
        }
    }

    @Test func `another tenant's user of the same person stays, and so does what the source tells of it`()
        async throws
    {
        try await Self.with { database, user in
            let other = UserKey(tenant: try TenantID("globex"), user: user.user)
            try await database.insert(
                Ledger.user(other, status: .ready),
                """
                insert into dialtone.memberships (source_id, external_user, external_tenant, state, tenant_id)
                values (\(Self.source), \(Self.name), 'p', 'live', 'globex')
                """)
            let report = try await Self.erasure(database).erase(user)
            #expect([report.events, report.keptInSources] == [2, 1])
            let left = try await Self.tables(with: Self.name, database)
            #expect(left == ["events", "memberships", "people", "users"])
            let members = try await database.admin.query("select tenant_id from dialtone.memberships")
                .map { try $0.decode(String.self) }
            #expect(members == ["globex"])
        }
    }

    @Test(arguments: [
        ("update dialtone.users set wanted = 'live', status = 'ready'", ErasureObstacle.live),
        ("update dialtone.users set status = 'revoking'", .live),
        ("update dialtone.credentials set status = 'closing' where generation = 4", .credential),
        ("update dialtone.surplus set deleted_at = null", .surplus),
        ("update dialtone.job_log set at = now()", .recent),
        (
            """
            insert into dialtone.doubts (tenant_id, user_id, generation, due_at)
            values ('acme', 'person-8c1f6a', 3, now())
            """, .doubt
        ),
        (
            """
            insert into dialtone.jobs (id, tenant_id, user_id, place, generation, run_at, enqueued_at)
            values (gen_random_uuid(), 'acme', 'person-8c1f6a', 1, 3, now(), now())
            """, .job
        ),
        (
            """
            insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, body_sha256,
                                             picks)
            select gen_random_uuid(), source_id, 1, 1, 'unmapped', 'acme', sha256('x'), '{"user_id": "person-8c1f6a"}'
            from dialtone.sources
            """, .quarantine
        ),
    ])
    func `a person of whom something is under way is not erased`(
        _ change: String, _ obstacle: ErasureObstacle
    ) async throws {
        try await Self.with { database, user in
            try await database.admin.script(change)
            let refused = UserActionError.notErasable(user, obstacle)
            await #expect(throws: refused) { try await Self.erasure(database).check(user) }
            await #expect(throws: refused) { try await Self.erasure(database).erase(user) }
            let named = try await database.admin.query("select 1 from dialtone.events where user_id is not null")
            #expect(named.count == 3)
        }
    }
}
