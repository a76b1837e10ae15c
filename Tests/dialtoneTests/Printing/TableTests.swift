// SPDX-License-Identifier: Apache-2.0
// Every table of the command line fits a terminal of 80 columns, with ids and names as long as real ones are.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct TableTests {
    private static let width = 80
    private static let tenant = "northwind-communications"
    private static let source = "northwind-back-office"
    private static let user = "b3c40000-0000-4000-8000-000000000001"
    private static let delivery = "d9a10000-0000-4000-8000-000000000001"
    private static let credential = "c7e20000-0000-4000-8000-000000000001"

    /// Each command without its tenant, and how the heading of its last table begins.
    private static let tables: [(command: [String], heading: String)] = [
        (["user", "list", "--tenant", tenant], "USER"),
        (["user", "show", user, "--tenant", tenant], "AT"),
        (["event", "list"], "EVENT"),
        (["event", "list", "--tenant", tenant], "EVENT"),
        (["event", "list", "--quarantined"], "EVENT"),
        (["event", "list", "--refused"], "SOURCE"),
        (["event", "list", "--refused", "--tenant", tenant], "SOURCE"),
        (["event", "list", "--ignored", "--source", source, "--tenant", tenant], "SOURCE"),
        (["event", "list", "--ignored", "--tenant", tenant], "SOURCE"),
        (["event", "list", "--fields", "event_id,user_id,delivery_id"], "EVENT_ID"),
        (["find", delivery, "--tenant", tenant], "KIND"),
        (["find", user, "--tenant", tenant], "KIND"),
        (["job", "list", "--tenant", tenant], "USER"),
        (["job", "failures", "--tenant", tenant], "USERS"),
        (["tenant", "list"], "TENANT"),
        (["tenant", "show", tenant], "TENANT"),
        (["tenant", "tags", "--tenant", tenant], "TAG"),
        (["tenant", "findings", "--tenant", tenant], "AT"),
        (["key", "list"], "KEY"),
        (["limit", "list"], "SCOPE"),
        (["migrate", "--status"], "VERSION"),
        (["source", "list"], "SOURCE"),
        (["source", "map", "list", "clerk"], "ORGANISATION"),
    ]

    @Test func `every table fits 80 columns, and each cell begins below its heading`() async throws {
        try await Self.with { desk in
            var narrow = desk
            narrow.environment["COLUMNS"] = "\(Self.width)"
            for (command, heading) in Self.tables {
                let ended = try await narrow.run(command)
                #expect(ended.code == 0, "\(command): \(ended)")
                Self.expectTable(in: ended.output, heading, of: "\(command)")
            }
        }
    }

    /// Expects that the table under this heading fits, and that no cell begins between two columns.
    private static func expectTable(in output: String, _ heading: String, of command: String) {
        let lines = output.split(separator: "\n").map { Array($0) }
        let start = lines.firstIndex { String($0).hasPrefix("\(heading) ") }
        let table = start.map { Array(lines[$0...]) } ?? []
        #expect(table.count > 1, "\(command): \(output)")
        #expect(table.allSatisfy { $0.count <= Self.width }, "\(command): \(output)")
        // Of a source lines of prose follow.
        guard let columns = table.first.map(Self.starts), heading != "SOURCE" else { return }
        let isEven = table.allSatisfy { line in
            columns.allSatisfy { $0 >= line.count || (line[$0 - 1] == " " && line[$0 - 2] == " ") }
        }
        #expect(isEven, "\(command): \(output)")
    }

    /// Where the second column begins, and each one after it.
    private static func starts(_ heading: [Character]) -> [Int] {
        heading.indices.filter { $0 > 1 && heading[$0] != " " && heading[$0 - 1] == " " && heading[$0 - 2] == " " }
    }

    @Test func `what is no terminal gets each id whole`() async throws {
        try await Self.with { desk in
            let life = try await desk.run(["user", "show", Self.user, "--tenant", Self.tenant]).output
            #expect(life.contains("  generation 1: \(Self.credential)"), "\(life)")
            let events = try await desk.run(["event", "list"]).output
            #expect(events.contains(Self.user) && events.contains(Self.delivery), "\(events)")
            let failures = try await desk.run(["job", "failures", "--tenant", Self.tenant]).output
            #expect(failures.contains(Self.user), "\(failures)")
        }
    }

    @Test func `a key's end that is to come is told apart from one that is over`() async throws {
        try await Self.with { desk in
            try await desk.database.insert(
                """
                insert into dialtone.api_keys (key_id, tenant_id, hash, scopes, expires_at, revoked_at)
                select name, \(Self.tenant), sha256('x'), array[]::text[], ended::timestamptz, revoked::timestamptz
                from (values ('later', '2999-01-01T00:00:00Z', null), ('over', '2020-01-01T00:00:00Z', null),
                             ('revoked', '2999-01-01T00:00:00Z', '2020-02-01T00:00:00Z')
                ) as made (name, ended, revoked)
                """)
            let list = try await desk.run(["key", "list"]).output.split(separator: "\n")
            #expect(list.first?.hasSuffix("  END") == true, "\(list)")
            for (key, end) in [
                ("later", "  ends 2999-01-01T00:00:00.000Z"), ("over", "Z  2020-01-01T00:00:00.000Z"),
                ("revoked", "Z  2020-02-01T00:00:00.000Z"),
            ] {
                #expect(list.contains { $0.hasPrefix("\(key) ") && $0.hasSuffix(end) }, "\(list)")
            }
            var narrow = desk
            narrow.environment["COLUMNS"] = "\(Self.width)"
            Self.expectTable(in: try await narrow.run(["key", "list"]).output, "KEY", of: "key list")
        }
    }

    @Test func `an empty first cell does not shift its row`() async throws {
        try await Self.with { desk in
            let picked = try await desk.run(["event", "list", "--fields", "organization,event_id"]).output
            let lines = picked.split(separator: "\n")
            #expect(lines.count == 2 && lines[1].hasPrefix("              "), "\(picked)")
        }
    }

    /// Lends a desk with a row for each table.
    private static func with(_ work: (Desk) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                desk.environment["DIALTONE_PUBLIC_URL"] = "https://dialtone.northwind.example.com"
                try await desk.done("tenant", "create", Self.tenant, "--connection-id", "1234567890123456789")
                try await desk.done("source", "create", Self.source, "--tenant", Self.tenant)
                try await desk.done("source", "create", "clerk", "--preset", "clerk")
                try await desk.done("source", "map", "add", "clerk", "org_2qYvQZ0WJx3Vb5lG7sKdPmRtUaE", Self.tenant)
                let scopes = "users:read,events:read,jobs:read,login-tokens:create"
                try await desk.done("key", "create", "--tenant", Self.tenant, "--scopes", scopes)
                try await desk.done("limit", "set", "--tenant", Self.tenant, "--rate", "12.5")
                try await database.insert(Self.people + Self.told)
                try await work(desk)
            }
        }
    }

    /// Users who failed, the steps of one of them, and what was found of it.
    private static let people: [SQL] = [
        """
        insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
        select \(tenant), 'b3c40000-0000-4000-8000-00000000000' || number, 'live', 'failed', now()
        from generate_series(1, 3) as number
        """,
        """
        insert into dialtone.jobs (id, tenant_id, user_id, place, generation, run_at, enqueued_at, state, attempts,
                                   crashes, deaths, reason, words)
        select gen_random_uuid(), tenant_id, user_id, row_number() over (), 1, now() + interval '1 hour', now(),
               'dead', 20, 3, 1, 'too_many_attempts',
               '10015 The connection is not allowed to have more telephony credentials'
        from dialtone.users
        """,
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, http_status,
                                      provider_request_id, call_ms, error_code)
        values (gen_random_uuid(), \(tenant), \(user), 1, 'armed', 'in_doubt', 1, 504,
                'f5a30000-0000-4000-8000-000000000001', 30000, 'unknown: the answer was cut off')
        """,
        """
        insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                          sealed_username, sealed_password, username_index, created_at, close_after)
        values (\(tenant), \(user), 1, \(credential), 'n', \(tenant + ".12"), 'closing', '', '',
                decode(repeat('00', 16), 'hex'), now(), now())
        """,
        """
        insert into dialtone.tenant_tags (tenant_id, shard, tag, held, opened, listed_at)
        values (\(tenant), 12, \(tenant + ".12"), 980, 12, now())
        """,
        """
        insert into dialtone.findings (tenant_id, user_id, generation, kind, provider_id, tag)
        values (\(tenant), \(user), 12, 'returned', \(credential), \(tenant + ".12"))
        """,
    ]

    /// An event that waits in quarantine, and what was refused and ignored.
    private static let told: [SQL] = [
        """
        insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted, outcome)
        select now(), 'e2b50000-0000-4000-8000-000000000001', source_id, \(delivery), tenant_id, \(user), 'gone',
               'quarantined'
        from dialtone.sources where slug = \(source)
        """,
        """
        insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, body_sha256)
        select event_id, source_id, 1, 1, 'mapping_changed', tenant_id, sha256('x') from dialtone.events
        """,
        """
        insert into dialtone.tally (bucket, source_id, count, last_at, skew_ms, minutes, outcome, reason)
        select date_trunc('hour', now()), source_id, 1234567, now(), skew, 60, outcome, reason
        from dialtone.sources, (values
            ('refused', 'proof_expired', -3600000), ('refused', 'tenant_not_allowed', null),
            ('ignored', 'organizationInvitation.accepted', null), ('not_kept', 'mapping_changed', null)
        ) as told (outcome, reason, skew)
        where slug = \(source)
        """,
        """
        insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
        select now(), source_id, 1, 'refused', 'tenant_not_allowed',
               '{"headers":[{"name":"webhook-signature","bytes":64},{"name":"user-agent","bytes":40}],"body":1048576}'
        from dialtone.sources where slug = \(source)
        """,
    ]
}
