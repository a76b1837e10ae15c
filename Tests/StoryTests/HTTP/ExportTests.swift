// SPDX-License-Identifier: Apache-2.0
// All users of a tenant in one answer: each once, in order, opened, and with an end that shows.

import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

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
        let reply = try await story.request(
            .GET, "/v1/tenants/acme/users", "", ["authorization": "Bearer \(story.key)", "accept": form])
        #expect(reply.status == 200)
        return reply.body.split(whereSeparator: \.isNewline)
    }

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

    @Test func `a list that has no export answers 406, and JSON to whoever takes it`() async throws {
        try await Story.with { story in
            for list in ["events", "jobs", "findings", "tags"] {
                for (form, status) in [("text/csv", 406), ("application/x-ndjson", 406), ("text/csv, */*", 200)] {
                    let reply = try await story.request(
                        .GET, "/v1/tenants/acme/\(list)", "",
                        ["authorization": "Bearer \(story.key)", "accept": form])
                    #expect(reply.status == status, "\(list), \(form)")
                    #expect(reply.body.contains("/problems/not_acceptable") == (status == 406))
                }
            }
        }
    }

    private struct Exported: Decodable {
        var user_id: String
        var sip_username: String?
    }
}
