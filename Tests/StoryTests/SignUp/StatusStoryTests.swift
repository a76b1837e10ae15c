// SPDX-License-Identifier: Apache-2.0
// What an operator sees of a sign-up from outside: probes and a scrape, in every role, and no secrets.

import Composition
import Foundation
import Logging
import Model
import NIOHTTP1
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct StatusStoryTests {
    private static func withStatus(
        _ changes: [String: String] = [:], _ work: (Story, String) async throws -> Void
    ) async throws {
        let status = "127.0.0.1:\(try FreePort.find())"
        try await Story.with(["DIALTONE_STATUS_LISTEN": status].merging(changes) { $1 }) { story in
            try await work(story, status)
        }
    }

    @Test func `a scrape counts one sign-up from its webhook to its login token`() async throws {
        try await Self.withStatus { story, status in
            #expect(try await story.send(.created, "u-metrics", delivery: "msg_1").status == 202)
            #expect(try await story.send(.created, "u-metrics", delivery: "msg_1").status == 200)
            #expect(try await story.request(.POST, story.hookPath, "{}").status == 401)
            #expect(try await story.request(.POST, "/v1/hooks/hk_nobody", "{}").status == 404)
            #expect(try await story.loginToken(for: "u-metrics", wait: 20).status == 200)
            #expect(try await story.loginToken(for: "u-metrics").status == 200)
            #expect(try await story.loginToken(for: "nobody").status == 404)
            let straight = "dialtone_time_to_credential_seconds_count{path=\"straight\"}"
            let scrape = try await story.scrape(status) {
                $0[straight] == 1 && $0["dialtone_jobs{state=\"queued\"}"] == 0
            }
            for (series, value) in [
                ("dialtone_deliveries_total{outcome=\"accepted\"}", 1.0),
                ("dialtone_deliveries_total{outcome=\"duplicate\"}", 1),
                ("dialtone_deliveries_total{outcome=\"bad_proof\"}", 1),
                ("dialtone_deliveries_total{outcome=\"unknown_hook\"}", 1),
                ("dialtone_commit_events_count", 2), ("dialtone_commit_duration_seconds_count", 2),
                ("dialtone_provider_request_duration_seconds_count{operation=\"create\",class=\"2xx\"}", 1),
                ("dialtone_provider_request_duration_seconds_count{operation=\"token\",class=\"2xx\"}", 1),
                ("dialtone_login_tokens_total{result=\"minted\"}", 1),
                ("dialtone_login_tokens_total{result=\"cached\"}", 1),
                ("dialtone_login_tokens_total{result=\"unknown\"}", 1),
                ("dialtone_second_credentials_total", 0),
            ] {
                #expect(scrape[series] == value, "\(series)")
            }
            #expect(scrape.sum(of: "dialtone_doubts_total") == 0)
            #expect((scrape["dialtone_postgres_pool_wait_seconds_count{pool=\"writer\"}"] ?? 0) > 0)
            for secret in ["acme", "u-metrics", story.key, story.secret, "hk_", story.provider.key] {
                #expect(!scrape.page.contains(secret))
            }
        }
    }

    @Test func `a lost answer is one doubt, and its credential counts as looked for`() async throws {
        try await Self.withStatus(Story.quick) { story, status in
            try await story.provider.misbehaves(.lostAnswer)
            #expect(try await story.send(.created, "u", delivery: "msg_1").status == 202)
            try await story.waitUntil("u", is: .ready)
            let scrape = try await story.scrape(status) {
                $0["dialtone_time_to_credential_seconds_count{path=\"looked\"}"] == 1
            }
            #expect(scrape.sum(of: "dialtone_doubts_total") == 1)
            let unanswered = "dialtone_provider_request_duration_seconds_count{operation=\"create\",class=\"none\"}"
            #expect(scrape[unanswered] == 1)
        }
    }

    @Test func `the reason why a process is not ready is shown on the status listener alone`() async throws {
        try await Self.withStatus { story, status in
            let ready = "{\"ready\":true,\"reasons\":[]}\n"
            try await story.ask(status, "/readyz") { $0.status == 200 && $0.body == ready }
            _ = try await story.database.admin.query("delete from dialtone.schema_migrations")
            try await story.ask(status, "/readyz") {
                $0.status == 503 && $0.body.contains("migrates: dialtone migrate")
            }
            let open = try await story.request(.GET, "/readyz")
            #expect(open.status == 503 && open.problem?.detail == "Requests cannot be served now.")
            try await story.ask(status, "/healthz") { $0.status == 200 && $0.body == "ok\n" }
            #expect(try await story.request(.GET, "/metrics").status == 404, "metrics are not public")
        }
    }

    @Test func `a worker has a status listener, though it has no other`() async throws {
        try await Story.with { story in
            try await Self.withWorker(story.settings) { status in
                try await story.ask(status, "/healthz") { $0.status == 200 }
                try await story.ask(status, "/readyz") { $0.status == 200 }
                let scrape = try await story.scrape(status) { $0["dialtone_worker_turn_age_seconds"] != nil }
                #expect((scrape["dialtone_worker_turn_age_seconds"] ?? 99) < 30)
                try await story.ask(status, "/v1/login-tokens") { $0.status == 404 }
            }
        }
    }

    @Test func `a status address that is taken stops the start and is named`() async throws {
        try await Story.with { story in
            var settings = story.settings
            let port = try #require(story.address.split(separator: ":").last.flatMap { Int($0) })
            settings.statusListen = (host: "127.0.0.1", port: port)
            let error = await #expect(throws: CannotListen.self) {
                try await Self.withWorker(settings) { _ in }
            }
            #expect(error?.description.contains("127.0.0.1:\(port) (DIALTONE_STATUS_LISTEN)") == true)
        }
    }

    @Test func `counting jobs walks no table and sorts no jobs`() async throws {
        try await TestDatabase.with { database in
            try await database.pool.withTransaction { connection in
                _ = try await connection.query(JobCensus.settings)
                let plan = try await QueryPlan.generic(of: JobCensus.statement, on: connection)
                #expect(plan.walkedTables.isEmpty, "\(plan)")
                #expect(!plan.description.contains("Bitmap"), "\(plan)")
            }
        }
    }

    @Test func `the ready line names the listeners that there are`() {
        #expect(ReadyLine().text == "{\"ready\":true}")
        #expect(
            ReadyLine(listen: "http://127.0.0.1:8080", status: "127.0.0.1:41231").text
                == "{\"ready\":true,\"listen\":\"http://127.0.0.1:8080\",\"status\":\"127.0.0.1:41231\"}")
    }

    /// Runs a process with the role `worker` alone, and lends the address of its status listener.
    private static func withWorker(_ settings: Settings, _ work: (String) async throws -> Void) async throws {
        let (addresses, address) = AsyncStream<String>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let node = try await Node(
            settings, roles: [.worker], logger: logger, onStatus: { address.yield($0) }, onReady: { _ in })
        let services = ServiceGroup(services: node.services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // A group that ends by itself has no address to wait for.
                defer { address.finish() }
                try await services.run()
            }
            let outcome: Result<Void, any Error>
            do {
                if let first = await addresses.first(where: { _ in true }) { try await work(first) }
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }
}
