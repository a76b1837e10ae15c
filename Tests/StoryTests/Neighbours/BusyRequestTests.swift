// SPDX-License-Identifier: Apache-2.0
// Tenants share a node and its connections to the database: what one asks of it makes no other wait.

import AsyncHTTPClient
import Composition
import Directory
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct BusyRequestTests {
    /// The keys' table is locked, so each request with a key holds a connection and waits.
    @Test func `requests that ask much do not make a webhook wait`() async throws {
        try await Self.with { story, clients in
            #expect(try await story.send(.created, "u-1", delivery: "d-1").status == 202)
            let known = try await story.databaseTime()
            let keys = try await Self.keys(8, story)
            try await story.database.admin.script("begin; lock table dialtone.api_keys")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in keys { group.addTask { _ = try await story.list(with: key, by: clients) } }
                try await story.database.untilSomebodyWaitsForALock()
                // The hook is known for five seconds without the database.
                try await story.database.until("select 1 where clock_timestamp() > \(known + 6)")
                let began = ContinuousClock.now
                #expect(try await story.send(.created, "u-2", delivery: "d-2").status == 202)
                #expect(ContinuousClock.now - began < .seconds(1))
                let probe = try await story.request(.GET, "/readyz")
                #expect(probe.status == 200, "a busy node is not one without a database")
                try await story.database.admin.script("commit")
                try await group.waitForAll()
            }
        }
    }

    /// The users' table is locked, so each list that is let in waits.
    @Test func `a key that asks for too many lists gets 429, and another tenant's hook and list are served`()
        async throws
    {
        try await Self.with { story, clients in
            let globex = try TenantID("globex")
            _ = try await story.administration.createTenant(globex, connectionID: "2")
            let foreign = try await story.administration.createKey(tenant: globex, scopes: [.usersRead]).key
            let source = try await story.administration.createSource(
                "other", tenant: globex, allowed: [], preset: "standard")
            _ = try await story.list(with: story.key)
            try await story.database.admin.script("begin; lock table dialtone.users in access exclusive mode")
            try await withThrowingTaskGroup(of: Story.Reply.self) { group in
                for _ in 0..<100 { group.addTask { try await story.list(with: story.key, by: clients) } }
                let first = try await group.next()
                #expect(first?.status == 429, "it is answered while others wait: \(first?.body ?? "")")
                #expect(first?.problem?.code == "too_many_requests")
                #expect(first?.headers.first(name: "retry-after") == "1")
                let unproven = try await story.http.reply(.POST, source.url, "{}")
                #expect(unproven.status == 401, "a hook that is new is found")
                try await story.database.admin.script("commit")
                let other = try await story.list(with: foreign, of: "globex")
                #expect(other.status == 200, "\(other.body)")
                // A list that has met its two seconds says so.
                for try await reply in group { #expect([200, 429, 503].contains(reply.status), "\(reply.body)") }
            }
        }
    }

    /// A list waits two seconds for a lock at most. One whose caller has left must end sooner, at least once in five
    /// tries on a busy machine. Without the cancellation none does.
    @Test func `a caller who leaves takes the list along`() async throws {
        try await Story.with { story in
            _ = try await story.list(with: story.key)
            try await story.database.admin.script("begin; lock table dialtone.users in access exclusive mode")
            var soonest = Duration.seconds(60)
            for _ in 0..<5 where soonest >= .seconds(2) {
                let began = ContinuousClock.now
                let request = Task { try await story.list(with: story.key) }
                try await story.untilAList(waits: true)
                request.cancel()
                _ = try? await request.value
                try await story.untilAList(waits: false)
                soonest = min(soonest, ContinuousClock.now - began)
            }
            #expect(soonest < .seconds(2))
            try await story.database.admin.script("commit")
            #expect(try await story.list(with: story.key).status == 200)
        }
    }

    /// Without an end of its own the read would meet that of the connection, and the answer would be another.
    @Test func `a read of the limits ends after two seconds too`() async throws {
        try await Story.with { story in
            let key = try await story.administration.createKey(tenant: nil, scopes: [.jobsRead]).key
            let bearer: HTTPHeaders = ["authorization": "Bearer \(key)"]
            let free = try await story.request(.GET, "/v1/limits", "", bearer)
            #expect(free.status == 200)
            try await story.database.admin.script("begin; lock table dialtone.provider_limits")
            let reply = try await story.request(.GET, "/v1/limits", "", bearer)
            #expect(reply.status == 503 && reply.body.contains("took too long"), "\(reply.body)")
            try await story.database.admin.script("commit")
        }
    }

    @Test func `one cursor goes from the API to the command line and back`() async throws {
        try await Story.with { story in
            let users = (1...5).map { "u-\($0)" }
            for user in users { _ = try await story.send(.created, user, delivery: user) }
            let acme = try TenantID("acme")
            let first: Page = try await story.list(with: story.key, "?limit=2").decode()
            let second = try await Door.database(story.settings).ask { questions, _ in
                try await questions.users(UserList(of: acme), after: first.next, limit: 2)
            }
            let third: Page = try await story.list(with: story.key, "?limit=2&after=\(second.next ?? "")").decode()
            #expect((first.data + third.data).map(\.user_id) == ["u-1", "u-2", "u-5"] && third.next == nil)
            #expect(second.data.map(\.userID) == ["u-3", "u-4"])
        }
    }

    @Test func `times have three digits of a second's fraction, and a member without a value is null`() async throws {
        try await Story.with { story in
            try await story.signUp("u-1")
            let list = try await story.list(with: story.key).body
            let time = #/"(received_at|ready_at)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/#
            #expect(list.matches(of: time).count == 2, "\(list)")
            let token = try await story.loginToken(for: "u-1").body
            #expect(token.matches(of: #/_at(er)?":"[^"]*:\d\d\.\d{3}Z"/#).count == 1, "\(token)")
            #expect(token.matches(of: #/refresh_after":"[^"]*:\d\d\.\d{3}Z"/#).count == 1, "\(token)")
            let timeline = try await story.request(
                .GET, "/v1/tenants/acme/users/u-1/timeline", "", ["authorization": "Bearer \(story.key)"]
            ).body
            for member in ["worker", "http_status", "provider_request_id", "code"] {
                let steps = timeline.matches(of: #/"at":/#).count
                #expect(timeline.split(separator: "\"\(member)\":").count == steps + 1, "\(timeline)")
            }
            #expect(timeline.contains("\"code\":null") && timeline.contains("\"next\":null"))
        }
    }

    private struct Page: Decodable {
        struct User: Decodable {
            var user_id: String
        }
        var data: [User]
        var next: String?
    }

    /// Lends a second HTTP client too, for requests that wait: the story's has eight connections only.
    private static func with(_ work: (Story, HTTPClient) async throws -> Void) async throws {
        try await Story.with { story in
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 128
            let clients = HTTPClient(configuration: configuration)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(story, clients))
            } catch {
                outcome = .failure(error)
            }
            try await clients.shutdown()
            try outcome.get()
        }
    }

    private static func keys(_ count: Int, _ story: Story) async throws -> [String] {
        var keys: [String] = []
        for _ in 0..<count {
            keys.append(
                try await story.administration.createKey(tenant: try TenantID("acme"), scopes: [.usersRead]).key)
        }
        return keys
    }
}

extension Story {
    /// One page of a tenant's users.
    fileprivate func list(
        with key: String, of tenant: String = "acme", _ query: String = "", by http: HTTPClient? = nil
    ) async throws -> Reply {
        try await (http ?? self.http).reply(
            .GET, "\(self.address)/v1/tenants/\(tenant)/users\(query)", "", ["authorization": "Bearer \(key)"])
    }

    fileprivate func databaseTime() async throws -> Date {
        let row = try await self.database.admin.query("select clock_timestamp()").first
        return try #require(row).decode(Date.self)
    }

    /// Waits until a list waits for a lock, or until none does; 30 seconds at most. It asks on a connection of its own:
    /// `admin` is in a transaction, in which pg_stat_activity does not change.
    fileprivate func untilAList(waits: Bool) async throws {
        let watcher = try await PostgresConnection.connect(PostgresConfiguration(url: self.database.url))
        let waiting: SQL = """
            select 1 from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'
              and query like '%coalesce(serving.generation%' and pid <> pg_backend_pid()
            """
        let deadline = ContinuousClock.now + .seconds(30)
        while try await watcher.query(waiting).isEmpty == waits {
            try #require(ContinuousClock.now < deadline)
            _ = try await watcher.query("select pg_sleep(0.02)::text")
        }
        await watcher.close()
    }
}
