// SPDX-License-Identifier: Apache-2.0
// A create that could not leave the machine is told to everybody who asks, leaves no doubt, and is made after the repair.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct NotSentTests {
    /// What the proxy does until it is repaired, and the cause as the log names it.
    private static let troubles: [(act: StandIn.Act, cause: String)] = [
        (.reply(407), "Proxy authentication required"), (.reply(403), "Invalid proxy response"),
        (.silence, ""), (.say(""), "Remote connection closed"),
    ]

    @Test(arguments: Self.troubles.indices)
    func `a create that the proxy refuses is not sent, and is made once after the repair`(place: Int) async throws {
        let (trouble, cause) = Self.troubles[place]
        try await Desk.withSimulator { desk in
            let simulator = try #require(desk.environment["TELNYX_BASE_URL"].flatMap { URL(string: $0)?.port })
            let proxy = try StandIn { _ in trouble }
            defer { proxy.stop() }
            desk.environment["TELNYX_BASE_URL"] = "http://provider.invalid/v2"
            desk.environment["DIALTONE_ALLOW_HTTP"] = "true"
            desk.environment["TELNYX_PROXY"] = "http://user:hunter2@127.0.0.1:\(proxy.port)"
            let errors = Listener()
            let (service, ready) = try await Desk.start(["serve"], desk.environment, errors: errors.pipe)
            defer { service.terminate() }
            let address = try #require(ready["listen"])
            try await desk.signUp("u-1", at: address)
            try await desk.database.until("select 1 from dialtone.job_log where error_code = 'not_sent'")

            #expect(try await Self.reasonsShown(desk).contains("not_sent"))
            #expect(try await Self.reasonsAnswered(desk, at: address).contains("not_sent"))
            try await errors.waits(for: "the provider cannot be reached; jobs wait")
            let line = try #require(Self.line("the provider cannot be reached; jobs wait", in: errors.heard))
            #expect(line["level"] as? String == "warning", "\(line)")
            #expect((line["reason"] as? String)?.hasSuffix(cause) == true, "\(line)")
            #expect(!errors.heard.contains("hunter2") && !errors.heard.contains("test-key"))
            try await Self.expectNoDoubt(desk)

            proxy.behaves { _ in .tunnel(simulator) }
            // The job's next try comes at once, so that the test need not wait for it.
            try await desk.database.until(
                """
                with again as (update dialtone.jobs set run_at = now() where state = 'scheduled')
                select 1 from dialtone.users where status = 'ready'
                """)
            try await Self.expectNoDoubt(desk)
            let control = try Wire(to: "http://127.0.0.1:\(simulator)")
            control.send("GET /control/counts", ["Authorization: Bearer test-key"])
            let counts = control.answer()
            #expect(counts.contains("\"live\":1}") && counts.contains("\"create\":1"), "\(counts)")
        }
    }

    /// The reasons in `dialtone user show`.
    private static func reasonsShown(_ desk: Desk) async throws -> [String] {
        let shown = try await desk.json("user", "show", "u-1", "--tenant", "acme")
        return Self.reasons(shown["timeline"])
    }

    /// The reasons in the timeline that the tenant's back end gets.
    private static func reasonsAnswered(_ desk: Desk, at address: String) async throws -> [String] {
        let key = try await desk.json("key", "create", "--tenant", "acme", "--scopes", "users:read")
        let wire = try Wire(to: address)
        wire.send(
            "GET /v1/tenants/acme/users/u-1/timeline", ["Authorization: Bearer \(key["key"] as? String ?? "")"])
        let body = wire.answer().split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""
        let page = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        return Self.reasons(page?["data"])
    }

    private static func reasons(_ timeline: Any?) -> [String] {
        (timeline as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
    }

    /// Neither a job nor its history may know of doubt.
    private static func expectNoDoubt(_ desk: Desk) async throws {
        let doubts = try await desk.database.admin.query(
            """
            select 1 from dialtone.jobs where in_doubt
            union all select 1 from dialtone.job_log where to_state in ('in_doubt', 'looking')
            """)
        #expect(doubts.isEmpty)
    }

    /// Returns the log line with this message.
    private static func line(_ message: String, in log: String) -> [String: Any]? {
        log.split(separator: "\n").lazy
            .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            .first { $0["message"] as? String == message }
    }
}
