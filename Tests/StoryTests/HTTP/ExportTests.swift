// SPDX-License-Identifier: Apache-2.0
// All of a list in one answer: each row once, in order, and with an end that shows.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing
import Web

@Suite struct ExportTests {
    /// More users than three pages hold, and one who has a credential.
    private static func with(_ work: (Story) async throws -> Void) async throws {
        try await Story.with { story in
            try await story.signUp("ada")
            try await story.database.insert(
                """
                insert into dialtone.users (tenant_id, user_id, wanted, status, received_at, ready_at)
                select 'acme', 'r-' || lpad(number::text, 5, '0'), 'live', 'ready', now(), now()
                from generate_series(1, 3500) as number
                """)
            try await work(story)
        }
    }

    private static let names =
        ["ada"] + (1...3500).map { "r-" + String(repeating: "0", count: 5 - "\($0)".count) + "\($0)" }

    private static func export(_ form: String, of story: Story) async throws -> [Substring] {
        try await self.export(form, "/v1/tenants/acme/users", story.key, story)
    }

    private static func export(
        _ form: String, _ path: String, _ key: String, _ story: Story
    ) async throws -> [Substring] {
        let reply = try await self.ask(form, path, key, story)
        #expect(reply.status == 200 && reply.headers.first(name: "content-type")?.hasPrefix(form) == true, "\(path)")
        return reply.body.split(whereSeparator: \.isNewline)
    }

    private static func ask(_ form: String, _ path: String, _ key: String, _ story: Story) async throws -> Story.Reply {
        try await story.request(.GET, path, "", ["authorization": "Bearer \(key)", "accept": form])
    }

    /// The rows of the first page.
    private static func page(_ path: String, _ key: String, _ story: Story) async throws -> [JSONValue] {
        let reply = try await self.ask("application/json", path + "?limit=200", key, story)
        guard case .array(let rows) = try JSONValue(parsing: Array(reply.body.utf8))["data"] else {
            throw CancellationError()
        }
        return rows
    }

    /// The rows of all pages.
    private static func pages(_ path: String, _ key: String, _ story: Story) async throws -> [JSONValue] {
        var (rows, next): ([JSONValue], String?) = ([], "")
        while let after = next {
            let query = (path.contains("?") ? "&" : "?") + "limit=150" + (after.isEmpty ? "" : "&after=\(after)")
            let reply = try await self.ask("application/json", path + query, key, story)
            let page = try JSONValue(parsing: Array(reply.body.utf8))
            guard case .array(let some)? = page["data"] else { throw CancellationError() }
            rows += some
            next = page["next"]?.string
        }
        return rows
    }

    /// 450 rows of each list but that of users. Nothing works at them.
    private static let many: [SQL] = [
        """
        insert into dialtone.tenants (tenant_id, connection_id) select 't-' || number, '1'
        from generate_series(1, 450) as number
        """,
        """
        insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
        select 'acme', 'f-' || number, 'live', 'failed', now() from generate_series(1, 450) as number
        """,
        """
        insert into dialtone.jobs (id, tenant_id, user_id, generation, state, place, run_at, enqueued_at, deaths, reason)
        select gen_random_uuid(), 'acme', 'f-' || number, 1, 'dead', number, now() + interval '1 day', now(), 1,
               'rejected'
        from generate_series(1, 450) as number
        """,
        """
        insert into dialtone.findings (at, kind, tenant_id, provider_id, tag)
        select now() - number % 9 * interval '1 minute', 'stray', 'acme', 'p-' || number, 'acme'
        from generate_series(1, 450) as number
        """,
        """
        insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
        select gen_random_uuid(), 'acme', 's-' || number, 'hk-' || number, 'standard'
        from generate_series(1, 450) as number
        """,
        """
        insert into dialtone.api_keys
        select copy.* from dialtone.api_keys first, generate_series(1, 450) as number,
             lateral jsonb_populate_record(first, jsonb_build_object('key_id', 'k' || number)) as copy
        where first.tenant_id = 'acme'
        """,
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, at)
        select gen_random_uuid(), 'acme', 'ada', 1, 'queued', 'scheduled', number, now() - number % 7 * interval '1 s'
        from generate_series(1, 450) as number
        """,
        """
        insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, due_at)
        select 'acme', number, 'acme.' || number, null, 'infinity' from generate_series(2, 451) as number
        """,
    ]

    /// 1,200 events beside the one of the sign-up; each second one was dropped.
    private static let manyEvents: SQL = """
        insert into dialtone.events
        select copy.* from dialtone.events first, generate_series(1, 1200) as number,
             lateral jsonb_populate_record(first, jsonb_build_object(
                 'event_id', '00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'),
                 'delivery_id', 'd-' || number,
                 'outcome', case when number % 2 = 0 then 'ignored' else 'duplicate' end)) as copy
        """

    @Test func `lines of JSON hold each user once and then their number`() async throws {
        try await Self.with { story in
            let lines = try await Self.export("application/x-ndjson", of: story)
            #expect(lines.last == "{\"end\":true,\"rows\":3501}")
            let users = try lines.dropLast().map { try JSONDecoder().decode(Exported.self, from: Data($0.utf8)) }
            #expect(users.map(\.user_id) == Self.names)
            #expect(users.first?.sip_username?.hasPrefix("gencred") == true)
        }
    }

    @Test func `a table has a heading and a line for each user`() async throws {
        try await Self.with { story in
            let lines = try await Self.export("text/csv", of: story)
            #expect(lines.first?.hasPrefix("tenant,user_id,") == true && lines.count == 3502)
            #expect(lines.dropFirst().map { String($0.split(separator: ",")[1]) } == Self.names)
        }
    }

    @Test func `each list in pages is exported in both forms, and an export takes no part of a list`() async throws {
        try await Story.with { story in
            try await story.signUp("ada")
            let key = try await Administration(story.settings).createKey(tenant: nil, scopes: Scope.allCases).key
            let lists = RouteTable.all.filter(\.hasPages)
            #expect(lists.count > 9)
            for list in lists {
                let path = list.path.replacing("{tenant}", with: "acme").replacing("{user}", with: "ada")
                let rows = try await Self.page(path, key, story).count
                let lines = try await Self.export("application/x-ndjson", path, key, story)
                #expect(lines.count == rows + 1 && lines.last == "{\"end\":true,\"rows\":\(rows)}", "\(path): \(lines)")
                let table = try await Self.export("text/csv", path, key, story)
                #expect(table.count == rows + 1, "\(path): \(table)")
                let columns = Set(table[0].split(separator: ",").map(String.init))
                if rows > 0, case .object(let members) = try JSONValue(parsing: Array(lines[0].utf8)) {
                    #expect(Set(members.map(\.key)) == columns, "\(path): \(columns)")
                }
                let part = try await Self.ask("text/csv", path + "?limit=1", key, story)
                #expect(part.status == 400 && part.body.contains("unknown_parameter"), "\(path)")
                let either = try await Self.ask("text/csv, application/json", path, key, story)
                #expect(either.body.hasPrefix("{\"data\":["), "\(path)")
            }
        }
    }

    @Test func `an export of any list has what its pages have, also where there are many`() async throws {
        try await Story.with { story in
            try await story.signUp("ada")
            let key = try await Administration(story.settings).createKey(tenant: nil, scopes: Scope.allCases).key
            for statement in Self.many { try await story.database.insert(statement) }
            let many = ["tenants", "jobs", "findings", "sources", "keys", "timeline", "tags", "jobs?state=dead"]
            for list in RouteTable.all.filter(\.hasPages).map(\.path) + ["/v1/tenants/{tenant}/jobs?state=dead"] {
                let path = list.replacing("{tenant}", with: "acme").replacing("{user}", with: "ada")
                let lines = try await Self.export("application/x-ndjson", path, key, story).dropLast()
                let pages = try await Self.pages(path, key, story)
                let exported = try lines.map { try JSONValue(parsing: Array($0.utf8)) }
                #expect(exported == pages || path.hasSuffix("/users"), "\(path)")
                if many.contains(where: path.hasSuffix) { #expect(exported.count > 400, "\(path)") }
            }
        }
    }

    @Test func `an export of events has more than a page of them, those that pass the filter, each once`() async throws
    {
        try await Story.with { story in
            try await story.signUp("ada")
            try await story.database.insert(Self.manyEvents)
            let all = try await Self.export("application/x-ndjson", "/v1/tenants/acme/events", story.key, story)
            #expect(all.last == "{\"end\":true,\"rows\":1201}")
            let ids = try all.dropLast().compactMap { try JSONValue(parsing: Array($0.utf8))["event_id"]?.string }
            #expect(Set(ids).count == 1201 && ids == ids.sorted(by: >))
            let filter = "/v1/tenants/acme/events?outcome=ignored"
            let ignored = try await Self.export("text/csv", filter, story.key, story)
            #expect(ignored.count == 601 && ignored.dropFirst().allSatisfy { $0.contains(",ignored,") })
        }
    }

    @Test func `the export of what is not there is 404, and one with another's filter is 400`() async throws {
        try await Story.with { story in
            for path in ["/v1/tenants/other/events", "/v1/tenants/acme/users/nobody/timeline"] {
                let reply = try await Self.ask("text/csv", path, story.key, story)
                #expect(reply.status == 404 && reply.body.contains("not_found"), "\(path)")
            }
            let reply = try await Self.ask("text/csv", "/v1/tenants/acme/events?outcome=lost", story.key, story)
            #expect(reply.status == 400)
        }
    }

    private struct Exported: Decodable {
        var user_id: String
        var sip_username: String?
    }
}
