// SPDX-License-Identifier: Apache-2.0
// Whatever goes wrong at the provider during a create, the user ends with exactly one credential, and both sides agree.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct FaultStoryTests {
    /// Times short enough to wait for: an empty look counts 3 s after a doubtful create.
    private static let quick = [
        "DIALTONE_HTTP_DEADLINE": "2s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "8s",
    ]

    struct Fault: Sendable, CustomTestStringConvertible {
        let kind: String
        var more = ""
        /// Creates the provider has seen through, the one that counts included.
        var creates = 1
        var testDescription: String { "\(self.kind) \(self.more)" }
    }

    @Test(arguments: [
        Fault(kind: "drop_after_commit"), Fault(kind: "error_after_commit"), Fault(kind: "garbage"),
        Fault(kind: "late_create", more: "\"milliseconds\":1500"), Fault(kind: "empty_500"),
        Fault(kind: "delay", more: "\"milliseconds\":2500"), Fault(kind: "rate_limited", more: "\"reset\":\"seconds\""),
        Fault(kind: "status", more: "\"status\":408"), Fault(kind: "status", more: "\"status\":409"),
        Fault(kind: "status", more: "\"status\":503"), Fault(kind: "status", more: "\"status\":302"),
        Fault(kind: "status", more: "\"status\":425"), Fault(kind: "status", more: "\"status\":200"),
        Fault(kind: "status", more: "\"status\":202"),
        Fault(kind: "list_lag", more: "\"milliseconds\":500"),
    ])
    func theUserEndsWithExactlyOneCredential(_ fault: Fault) async throws {
        try await Story.with(Self.quick) { story in
            try await story.fault(fault.kind, times: 1, fault.more)
            _ = try await story.send("user.created", "u-1", delivery: "msg_1")
            try await story.until("select 1 from dialtone.users where status = 'ready'")
            try await self.expectAgreement(story, creates: fault.creates)
        }
    }

    @Test func aRefusalOfTheJobsOwnFieldsEndsItWithTheProvidersWords() async throws {
        try await Story.with(Self.quick) { story in
            try await story.fault("status", times: 2, "\"status\":422")
            _ = try await story.send("user.created", "u-1", delivery: "msg_1")
            try await story.until("select 1 from dialtone.users where status = 'failed'")
            let words = try await story.database.admin.query(
                "select provider_words from dialtone.dead_jobs where provider_words <> ''")
            #expect(words.count == 1)
            #expect(try await story.post("/v1/login-tokens", "{\"user_id\":\"u-1\"}").status == 409)
        }
    }

    /// The provider refuses one tenant's connection: its users wait, and nobody else does.
    @Test func oneTenantsRefusedConnectionLeavesTheOthersAlone() async throws {
        try await Story.with(Self.quick) { story in
            let administration = Administration(story.settings)
            let globex = try TenantID("globex")
            _ = try await administration.createTenant(globex, connectionID: "1000000002")
            let source = try await administration.createSource("app", tenant: globex, allowed: [], preset: "standard")
            let sender = try SignUpSender(
                url: story.address + source.url.dropFirst(story.address.count), secret: Secret(source.secret),
                http: story.http)
            try await story.fault("status", times: 1000, "\"status\":403,\"connection_id\":\"1000000002\"")
            for number in 1...5 {
                let user = UserKey(tenant: globex, user: try UserID("g-\(number)"))
                _ = try await sender.send(
                    type: "user.created", user: user, deliveryID: "g-\(number)", at: Date(), occurredAt: Date())
            }
            try await story.until("select 1 from dialtone.job_log where tenant_id = 'globex' and http_status = 403")
            for number in 1...5 { try await story.signUp("u-\(number)") }
            let limits = try await administration.limits()
            #expect(limits.map(\.scope) == ["connection:1000000002"] && limits[0].breaker == "open")
            let charged = try await story.rows(
                "select user_id from dialtone.jobs where tenant_id <> 'globex' or attempts > 0 or state = 'in_doubt'")
            #expect(charged.isEmpty, "they wait, uncharged and without doubt")
            // Mended: the next probe opens it for all.
            try await story.fault("status", times: 0, "\"status\":403")
            try await story.database.admin.script("update dialtone.provider_limits set probe_until = now()")
            // Time and again, for the worker knows of the probe only some moments later.
            try await story.until(
                """
                with again as (update dialtone.jobs set run_at = now() where state = 'scheduled')
                select 1 from dialtone.users where tenant_id = 'globex' and status = 'ready' having count(*) >= 1
                """)
        }
    }

    /// A claim that fails with nothing to write down besides: the next one is made all the same.
    @Test func aWorkerWhoseConnectionsWereCutGoesOn() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("before")
            for _ in 1...5 {
                _ = try await story.database.admin.query(
                    """
                    select pg_terminate_backend(pid)::text from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """)
                _ = try await story.database.admin.query("select pg_sleep(0.3)::text")
            }
            var status = 0
            while status != 202 {
                status = try await story.send("user.created", "after", delivery: "after").status
            }
            try await story.until("select 1 from dialtone.users where user_id = 'after' and status = 'ready'")
        }
    }

    @Test func aTenantSpreadsOverTagsThatAreNeverFullerThanAllowed() async throws {
        try await Story.with(["DIALTONE_TAG_CAPACITY": "4"]) { story in
            for number in 1...10 {
                _ = try await story.send("user.created", "u-\(number)", delivery: "msg_\(number)")
            }
            try await story.until("select 1 from dialtone.users having count(*) filter (where status = 'ready') = 10")
            let tags = try await story.database.admin.query(
                "select tag, count(*) from dialtone.credentials group by tag order by tag"
            ).map { try $0.decode(String.self, Int64.self) }
            #expect(tags.allSatisfy { $0.1 <= 4 } && tags.reduce(0) { $0 + $1.1 } == 10)
            #expect(tags.allSatisfy { $0.0 == "acme" || $0.0.hasPrefix("acme.") })
        }
    }

    private func expectAgreement(_ story: Story, creates: Int) async throws {
        struct Held: Decodable {
            struct One: Decodable {
                var id: String
                var name: String
            }
            var data: [One]
        }
        let held = try JSONDecoder().decode(
            Held.self, from: Data(try await story.provider("/control/credentials").utf8)
        ).data
        let rows = try await story.database.admin.query(
            "select provider_id, name from dialtone.credentials where status = 'active'"
        ).map { try $0.decode(String.self, String.self) }
        #expect(held.map(\.id) == rows.map(\.0) && held.map(\.name) == rows.map(\.1) && rows.count == 1)
        #expect(try await story.provider("/control/counts").contains("\"creates\":\(creates),\"deletes\":0"))
        #expect(try await story.database.admin.query("select 1 from dialtone.jobs").isEmpty)
    }
}
