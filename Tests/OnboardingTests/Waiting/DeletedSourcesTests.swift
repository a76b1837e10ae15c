// SPDX-License-Identifier: Apache-2.0
// What a deleted source has told of people goes a page at a time, and no other source loses anything.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct DeletedSourcesTests {
    /// Lends a database with a deleted source and an active one, of which each has told of three people.
    private static func with(_ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            for (slug, status) in [("gone", "deleted"), ("app", "active")] {
                let source = UUID()
                try await database.insert(
                    """
                    insert into dialtone.sources (source_id, slug, tenant_id, hook_id, preset, status, stopped_at)
                    select \(source), \(slug), \(testTenant), \("hk_\(slug)"), 'clerk', \(status), now()
                    """,
                    """
                    insert into dialtone.source_tenants (source_id, external_tenant) values (\(source), 'o')
                    """,
                    "insert into dialtone.source_pulls (source_id) values (\(source))",
                    """
                    insert into dialtone.people (source_id, external_user)
                    select \(source), 'u' || number from generate_series(1, 3) number
                    """,
                    """
                    insert into dialtone.memberships (source_id, external_user, external_tenant, state)
                    select \(source), 'u' || number, 'o', 'live' from generate_series(1, 3) number
                    """,
                    """
                    insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id,
                                                     body_sha256, picks, sealed)
                    values (gen_random_uuid(), \(source), 1, 1, 'unmapped', 'acme', sha256('x'), '{}', 'x')
                    """,
                    """
                    insert into dialtone.tally (bucket, source_id, last_at, minutes, outcome, reason)
                    values (now(), \(source), now(), 1, 'ignored', 'unrelated')
                    """,
                    """
                    insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
                    values (now(), \(source), 0, 'ignored', 'unrelated', '{}')
                    """)
            }
            try await work(database)
        }
    }

    private static func left(of slug: String, _ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select concat_ws(' ', (select count(*) from dialtone.people where people.source_id = one.source_id),
                (select count(*) from dialtone.memberships where memberships.source_id = one.source_id),
                (select count(*) from dialtone.quarantine where quarantine.source_id = one.source_id
                     and settled_at is null and sealed is not null),
                (select count(*) from dialtone.tally where tally.source_id = one.source_id),
                (select count(*) from dialtone.samples where samples.source_id = one.source_id),
                (select count(*) from dialtone.source_tenants where source_tenants.source_id = one.source_id),
                (select count(*) from dialtone.source_pulls where source_pulls.source_id = one.source_id))
            from dialtone.sources one where slug = \(slug)
            """
        ).map { try $0.decode(String.self) }
    }

    @Test func `a page is as long as it may be, and in the end nothing is left`() async throws {
        try await Self.with { database in
            for statement in DeletedSources.forget(limit: 2) { try await database.commit([statement]) }
            #expect(try await Self.left(of: "gone", database) == ["1 1 0 0 0 0 0"])
            for statement in DeletedSources.forget(limit: 2) { try await database.commit([statement]) }
            #expect(try await Self.left(of: "gone", database) == ["0 0 0 0 0 0 0"])
            #expect(try await Self.left(of: "app", database) == ["3 3 1 1 1 1 1"])
            let settled = try await database.admin.query(
                "select settled_by from dialtone.quarantine where settled_at is not null and picks is null"
            ).map { try $0.decode(String.self) }
            #expect(settled == ["dropped"])
        }
    }

    @Test func `an event in quarantine of a deleted source keeps no sender's id`() async throws {
        try await Self.with { database in
            try await database.insert(
                """
                insert into dialtone.events (received_at, event_id, source_id, delivery_id, sent_id, tenant_id, outcome)
                select now(), event_id, source_id, 'sha256:0', slug, 'acme', 'quarantined'
                from dialtone.quarantine join dialtone.sources using (source_id)
                """)
            for statement in DeletedSources.forget(limit: 2) { try await database.commit([statement]) }
            let sent = try await database.admin.query("select sent_id from dialtone.events where sent_id is not null")
                .map { try $0.decode(String.self) }
            #expect(sent == ["app"])
        }
    }

    @Test func `the work on a source ends when nothing of it is left and a day has passed, and not before`()
        async throws
    {
        try await Self.with { database in
            let works: SQL = "select slug from dialtone.sources where status = 'deleted' and stopped_at is not null"
            let age = "update dialtone.sources set stopped_at = now() - interval '25 hours' where status = 'deleted'"
            let turn = {
                for statement in DeletedSources.forget(limit: 2) { try await database.commit([statement]) }
                return try await database.admin.query(works).map { try $0.decode(String.self) }
            }
            try await database.admin.script(age)
            #expect(try await turn() == ["gone"], "a person is left")
            try await database.admin.script("update dialtone.sources set stopped_at = now() where slug = 'gone'")
            for _ in 1...2 { #expect(try await turn() == ["gone"], "a node may still believe it") }
            try await database.admin.script(age)
            #expect(try await turn() == [])
        }
    }

    /// Behind a pooler the settings of the service's sessions do not hold. The planner takes the source's share of the
    /// rows from statistics that are old.
    @Test func `no table of people is walked by a session without the service's settings`() async throws {
        try await Self.with { database in
            try await database.admin.script(
                """
                alter table dialtone.people set (autovacuum_enabled = off);
                alter table dialtone.memberships set (autovacuum_enabled = off);
                insert into dialtone.people (source_id, external_user)
                select source_id, 'p' || number from dialtone.sources, generate_series(1, 5000) number;
                insert into dialtone.memberships (source_id, external_user, external_tenant, state)
                select source_id, 'p' || number, 'o', 'live' from dialtone.sources, generate_series(1, 5000) number;
                analyze;
                reset all; set enable_seqscan = on; set enable_hashjoin = on; set enable_mergejoin = on;
                set plan_cache_mode = auto;
                """)
            for statement in DeletedSources.forget(limit: 500).prefix(2) {
                let plan = try await database.admin.query("explain (costs off) \(statement)")
                    .map { try $0.decode(String.self) }.joined(separator: "\n")
                #expect(!plan.contains("Seq Scan on people") && !plan.contains("Seq Scan on memberships"), "\(plan)")
            }
        }
    }

    /// A fresh installation is analysed while its tables are empty. A connection keeps the plans it made then.
    @Test func `no table of people is walked`() async throws {
        try await Self.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                for statement in DeletedSources.forget(limit: 500) {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.subtracting(["sources"]).isEmpty, "\(plan)")
                }
            }
        }
    }
}
