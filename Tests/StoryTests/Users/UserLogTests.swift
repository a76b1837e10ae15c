// SPDX-License-Identifier: Apache-2.0
// The log that `user show` prints tells a user's whole life, step by step.

import Composition
import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserLogTests {
    @Test func `the log of a user's life has no gaps and says who did what`() async throws {
        try await Story.with(Story.quick) { story in
            try await Self.live(story)
            let timeline = try await story.timeline(of: "u")
            #expect(timeline.count >= 15)
            try await Self.expectNoGaps(story)
            // Each answer of the provider stands beside the worker, its epoch and the provider's request id.
            let answers = try await story.rows(
                """
                select concat_ws(' ', to_state, http_status, (provider_request_id is not null)::text)
                from dialtone.job_log
                where worker is not null and epoch > 0 and http_status is not null
                """)
            #expect(
                Set(answers).isSuperset(of: ["owned 201 true", "in_doubt 503 true", "scheduled 429 true"]),
                "\(Set(answers))")
            let claimsOfNobody = try await story.rows(
                "select to_state from dialtone.job_log where to_state in ('armed', 'looking') and worker is null")
            #expect(claimsOfNobody.isEmpty)
        }
    }

    /// A sign-up in doubt, two rotations with a failure each, and a revoke.
    private static func live(_ story: Story) async throws {
        try await story.provider.misbehaves(.lostAnswer)
        try await story.signUp("u")
        try await story.provider.refuses(.create, with: 503, times: 1)
        try await story.rotate("u", overlap: .seconds(1))
        try await story.waitUntilAtRest()
        try await story.provider.misbehaves(.rateLimited)
        try await story.rotate("u", overlap: .zero)
        try await story.waitUntilAtRest()
        try await story.revoke("u")
        try await story.waitUntilAtRest()
    }

    /// Each transition of a job begins where the one before it has ended.
    private static func expectNoGaps(_ story: Story) async throws {
        var last: [String: String] = [:]
        for row in try await story.database.admin.query(
            "select job_id::text, from_state, to_state from dialtone.job_log order by at, epoch, to_state <> 'owned'"
        ) {
            let (job, from, to) = try row.decode(String.self, String.self, String.self)
            #expect(from == last[job, default: "queued"], "\(from) to \(to)")
            // Owned is a fact on the way. The same transaction says where the job goes.
            if to != "owned" { last[job] = to }
        }
    }
}
