// SPDX-License-Identifier: Apache-2.0
// A 429 holds back the kind of call that met it: logins, sign-ups and the sweep do not stop for one another.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct PausedKindsTests {
    @Test func `a 429 for creates leaves the logins of ready users alone, and nothing is claimed`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("ready")
            try await Self.limit("create", story)
            _ = try await story.send(.created, "first", delivery: "first")
            try await Self.waitForPause("jobs", story)
            _ = try await story.send(.created, "second", delivery: "second")
            let token = try await story.loginToken(for: "ready")
            #expect(token.status == 200, "\(token.body)")
            #expect(try await story.administration.limits().map(\.scope) == ["kind:jobs"])
            let claimed = try await story.rows(
                "select user_id from dialtone.job_log where user_id = 'second' and to_state = 'armed'")
            #expect(claimed.isEmpty, "the pause holds for all nodes")
            #expect(try await story.provider.live() == 1)
        }
    }

    @Test func `a 429 for a login token leaves sign-ups alone, and says when to ask again`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("first")
            try await Self.limit("token", story)
            let met = try await story.loginToken(for: "first")
            #expect(met.status == 503 && met.problem?.code == "provider_unavailable")
            let paused = try await story.loginToken(for: "first")
            let seconds = paused.headers.first(name: "retry-after").flatMap(Int.init)
            #expect(paused.status == 503 && (seconds ?? 0) > 60, "\(paused.headers)")
            try await story.signUp("second")
            #expect(try await story.administration.limits().map(\.scope) == ["kind:tokens"])
        }
    }

    @Test func `a 429 for the sweep leaves sign-ups and logins alone`() async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("first")
            try await Self.limit("list", story)
            let report = try await story.sweep { $0.patience = .zero }
            #expect(report.failedLists > 0)
            try await Self.waitForPause("sweep", story)
            try await story.signUp("second")
            #expect(try await story.loginToken(for: "second").status == 200)
            #expect(try await story.administration.limits().map(\.scope) == ["kind:sweep"])
        }
    }

    /// The call of a job that meets the 429, and where its user stands in the end.
    @Test(arguments: [("list", UserStatus.ready), ("delete", .revoked)])
    func `a 429 for a look or a delete pauses the calls of jobs, leaves logins alone, and the job ends well`(
        _ operation: String, _ end: UserStatus
    ) async throws {
        try await Story.with(Story.quick) { story in
            try await story.signUp("ready")
            if operation == "delete" {
                try await story.signUp("first")
                try await Self.limit(operation, story)
                try await story.revoke("first")
            } else {
                // The answer to the create is lost, so the job must look.
                try await Self.limit(operation, story, "{\"operation\":\"create\",\"kind\":\"drop_after_commit\"},")
                _ = try await story.send(.created, "first", delivery: "first")
            }
            try await Self.waitForPause("jobs", story)
            _ = try await story.send(.created, "second", delivery: "second")
            #expect(try await story.loginToken(for: "ready").status == 200)
            let scopes = try await story.administration.limits().map(\.scope)
            #expect(scopes.contains("kind:jobs") && !scopes.contains("kind:tokens"), "\(scopes)")
            let claimed = try await story.rows(
                "select user_id from dialtone.job_log where user_id = 'second' and to_state = 'armed'")
            #expect(claimed.isEmpty, "nothing is claimed in a pause of creates")

            try await story.provider.behaves()
            try await story.until(
                """
                with gone as (delete from dialtone.provider_limits),
                     again as (update dialtone.jobs set run_at = now() where state in ('scheduled', 'in_doubt'))
                select 1 from dialtone.users having count(*) filter (where user_id = 'first' and status = \(end)) = 1
                    and count(*) filter (where user_id = 'second' and status = 'ready') = 1
                """)
            let calls = try await story.provider.callsInAll()
            #expect(calls == .init(creates: 3, deletes: operation == "delete" ? 1 : 0))
        }
    }

    /// From now on the provider answers every call of that operation with a 429 for five minutes. `others`: rules that
    /// come before.
    private static func limit(_ operation: String, _ story: Story, _ others: String = "") async throws {
        let rule =
            "{\"operation\":\"\(operation)\",\"kind\":\"rate_limited\",\"milliseconds\":300000,\"reset\":\"seconds\"}"
        let rules = "{\"rules\":[\(others)\(rule)]}"
        let reply = try await story.provider.control(.PUT, "faults", rules)
        try #require(reply.status == 200)
    }

    private static func waitForPause(_ kind: String, _ story: Story) async throws {
        try await story.until(
            """
            select 1 from dialtone.provider_limits
            where scope = \("kind:" + kind) and paused_until > now() + interval '1 minute'
            """)
    }
}
