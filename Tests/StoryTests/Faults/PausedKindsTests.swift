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
            try await Self.waitForPause("creates", story)
            _ = try await story.send(.created, "second", delivery: "second")
            let token = try await story.loginToken(for: "ready")
            #expect(token.status == 200, "\(token.body)")
            #expect(try await story.administration.limits().map(\.scope) == ["kind:creates"])
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
            let report = try await story.sweep()
            #expect(report.failedLists > 0)
            try await Self.waitForPause("sweep", story)
            try await story.signUp("second")
            #expect(try await story.loginToken(for: "second").status == 200)
            #expect(try await story.administration.limits().map(\.scope) == ["kind:sweep"])
        }
    }

    /// From now on the provider answers every call of that operation with a 429 for five minutes.
    private static func limit(_ operation: String, _ story: Story) async throws {
        let rule =
            "{\"operation\":\"\(operation)\",\"kind\":\"rate_limited\",\"milliseconds\":300000,\"reset\":\"seconds\"}"
        let reply = try await story.provider.control(.PUT, "faults", "{\"rules\":[\(rule)]}")
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
