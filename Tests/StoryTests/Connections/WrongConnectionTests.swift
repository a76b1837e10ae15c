// SPDX-License-Identifier: Apache-2.0
// A tenant was made with the wrong connection. An operator gives it another, and its users need nothing else.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct WrongConnectionTests {
    private static let wrong = "1000000001"
    private static let right = "1000000009"

    /// 422: the third user opens the tenant's breaker. 403: the first opens that of the connection.
    @Test(arguments: [422, 403])
    func `users whom the wrong connection held up are ready on the right one at once`(status: Int) async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.refuses(.create, with: status, times: 1000, connection: Self.wrong)
            for number in 1...4 { _ = try await story.send(.created, "u-\(number)", delivery: "d-\(number)") }
            try await story.until(
                """
                select 1 from dialtone.jobs where state = 'scheduled'
                  and exists (select 1 from dialtone.provider_limits where breaker <> 'closed')
                having count(*) = 4
                """)
            let moved = try await story.administration.moveTenant(TenantID("acme"), to: Self.right)
            #expect(moved.connection_id == Self.right)
            let held = try await story.rows(
                "select user_id from dialtone.jobs where run_at > now() + interval '1 second'")
            #expect(held.isEmpty)
            for number in 1...4 { try await story.waitUntil("u-\(number)", is: .ready) }
            #expect(try await Self.connections(story) == Set(["connection:\(Self.right)"]))
            let calls = try await story.provider.callsInAll()
            #expect(calls == StoryProvider.Calls(creates: 4, deletes: 0))
            #expect(try await story.administration.limits().isEmpty, "no breaker is left")
        }
    }

    @Test func `a user who failed on the wrong connection is tried again, and looked up first`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.provider.refuses(.create, with: 422, times: 1000, connection: Self.wrong)
            _ = try await story.send(.created, "u-1", delivery: "d-1")
            try await story.waitUntil("u-1", is: .failed)
            _ = try await story.administration.moveTenant(TenantID("acme"), to: Self.right)
            try await story.waitUntil("u-1", is: .ready)
            #expect(try await Self.connections(story) == Set(["connection:\(Self.right)"]))
            #expect(try await story.rows("select 1::text from dialtone.job_log where to_state = 'looking'").count >= 1)
        }
    }

    @Test func `a credential that is there stays, and a rotation makes the next one on the new connection`()
        async throws
    {
        try await Story.with(Story.quick) { story in
            try await story.signUp("u-1")
            _ = try await story.administration.moveTenant(TenantID("acme"), to: Self.right)
            #expect(try await Self.connections(story) == ["connection:\(Self.wrong)"])
            _ = try await story.administration.rotate(
                UserKey(tenant: TenantID("acme"), user: UserID("u-1")), overlap: nil)
            try await story.until("select 1 from dialtone.credentials where generation = 2 and status = 'active'")
            #expect(try await Self.connections(story).contains("connection:\(Self.right)"))
        }
    }

    @Test(arguments: ["", "12a", "1 2", String(repeating: "1", count: 33)])
    func `what is no connection changes nothing`(connection: String) async throws {
        try await Story.with { story in
            await #expect(throws: InvalidValue.self) {
                try await story.administration.moveTenant(TenantID("acme"), to: connection)
            }
            let kept = try await story.administration.tenant(TenantID("acme"))
            #expect(kept?.connection_id == Self.wrong)
        }
    }

    /// The connections of all credentials at the provider.
    private static func connections(_ story: Story) async throws -> Set<String> {
        struct Shown: Decodable {
            struct One: Decodable { var resource_id: String }
            var data: One
        }
        var connections: Set<String> = []
        for id in try await story.provider.ids() {
            let reply = try await story.http.reply(
                .GET, "\(story.provider.url)/v2/telephony_credentials/\(id)", "",
                ["authorization": "Bearer \(story.provider.key)"])
            connections.insert(try reply.decode(Shown.self).data.resource_id)
        }
        return connections
    }
}
