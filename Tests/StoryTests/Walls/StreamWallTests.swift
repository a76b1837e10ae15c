// SPDX-License-Identifier: Apache-2.0
// The walls around a stream, whose answer has no end: it tells a tenant's own steps alone.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Postgres
import Testing

@Suite struct StreamWallTests {
    /// Opens a stream from just before the first step in the log of `globex`.
    private static func open(
        _ story: Story, of tenant: String, key: String, at address: String
    ) async throws -> HTTPClientResponse {
        let places = try await story.rows(
            """
            select ((extract(epoch from min(at)) * 1000000)::bigint - 1)::text from dialtone.job_log
            where tenant_id = 'globex'
            """)
        let place = try #require(places.first)
        var request = HTTPClientRequest(url: "\(address)/v1/tenants/\(tenant)/stream")
        request.headers = ["authorization": "Bearer \(key)", "last-event-id": place]
        return try await story.http.execute(request, timeout: .seconds(40))
    }

    /// Reads until the text comes, or to the end.
    private static func read(_ response: HTTPClientResponse, until end: String? = nil) async throws -> Story.Reply {
        var text = ""
        for try await part in response.body {
            text += String(buffer: part)
            if let end, text.contains(end) { break }
        }
        return Story.Reply(status: Int(response.status.code), body: text)
    }

    @Test func `a stream tells the steps of its own tenant, and none of another that came before them`() async throws {
        try await Story.with { story in
            let (there, owner) = try await story.secondTenant()
            try await story.signUp("own")
            let own = try await Self.open(story, of: "acme", key: story.key, at: story.address)
            let told = try await Self.read(own, until: "\"user_id\":\"own\"")
            #expect(told.status == 200 && told.body.contains("\"user_id\":\"own\""))
            #expect(there.shown(in: told).isEmpty, "\(told.body)")
            let theirs = try await Self.open(story, of: "globex", key: owner, at: story.address)
            let shown = try await Self.read(theirs, until: there.user)
            #expect(shown.body.contains(there.user), "the other tenant has steps to tell")
        }
    }

    @Test func `without the first wall the second one keeps another tenant's steps from a stream`() async throws {
        try await Story.with { story in
            let (there, _) = try await story.secondTenant()
            var reading: Task<Story.Reply, any Error>?
            try await Story.withNode(story.settings, comparesTenants: false) { open in
                let response = try await Self.open(story, of: "globex", key: story.key, at: open)
                reading = Task { try await Self.read(response) }
                // The log was read once. The first piece of it has all steps of the other tenant.
                try await story.until(
                    """
                    select 1 from pg_stat_activity
                    where datname = current_database() and state = 'idle' and query like '%(at, epoch, job_id) >%'
                    """)
            }
            // The node has stopped, and so has the stream.
            let read = try await reading?.value
            let told = try #require(read)
            #expect(told.status == 200 && told.body.hasPrefix(": dialtone"), "\(told.body)")
            #expect(!told.body.contains("user_id") && there.shown(in: told).isEmpty, "\(told.body)")
        }
    }
}
