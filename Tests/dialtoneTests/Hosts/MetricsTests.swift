// SPDX-License-Identifier: Apache-2.0
// `/metrics` of each role as a process: Prometheus can read it, and no label tells of a tenant, a user or a secret.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct MetricsTests {
    @Test(arguments: ["api", "worker", "api,worker"])
    func `a scrape of each role can be read, and its labels are the words of the operations page`(
        roles: String
    ) async throws {
        try await Desk.withSimulator { desk in
            let (service, ready) = try await Desk.start(["serve", "--roles", roles], desk.environment)
            defer { service.terminate() }
            let status = try #require(ready["status"])
            var secrets = ["acme", "u-secret", "test-key", "hk_", "whsec"]
            if let address = ready["listen"] {
                try await desk.signUp("u-secret", at: address)
                secrets += try await Self.ask(address, desk)
            }
            if roles == "api,worker" {
                try await desk.database.until("select 1 from dialtone.users where status = 'ready'")
            }
            let wire = try Wire(to: "http://\(status)")
            wire.send("GET /metrics")
            let answer = wire.answer()
            let end = try #require(answer.firstRange(of: "\r\n\r\n"), "\(answer)")
            let head = answer[..<end.lowerBound]
            #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("text/plain; version=0.0.4"), "\(head)")
            let text = String(answer[end.upperBound...])
            let page = PrometheusPage(text)
            #expect(page.faults.isEmpty, "\(page.faults)")
            #expect((page["dialtone_worker_turn_age_seconds"] != nil) == roles.contains("worker"))
            if ready["listen"] != nil {
                let outcomes = page["dialtone_deliveries_total"]?.samples ?? []
                #expect(outcomes.first { $0.labels["outcome"] == "accepted" }?.value == 1)
                #expect(outcomes.first { $0.labels["outcome"] == "unknown_hook" }?.value == 1)
            }
            for secret in secrets { #expect(!text.contains(secret), "\(secret)") }
            let words = try Self.documentedWords()
            for sample in page.families.flatMap(\.samples) {
                for (name, value) in sample.labels where !["le", "version"].contains(name) {
                    #expect(words[name]?.contains(value) == true, "\(name)=\(value) of \(sample.name)")
                }
            }
        }
    }

    /// Asks for what is refused, with words that no label may repeat. Returns these words.
    private static func ask(_ address: String, _ desk: Desk) async throws -> [String] {
        let key = try await desk.json("key", "create", "--tenant", "acme", "--scopes", "login-tokens:create")
        let token = try #require(key["key"] as? String)
        for (line, fields, body) in [
            ("POST /v1/hooks/hk_nobody", [], "{}"), ("GET /v1/tenants/hunter/users/hunter", [], ""),
            ("GET /hunter", ["X-Request-Id: hunter"], ""),
            ("POST /v1/login-tokens", ["Authorization: Bearer \(token)"], "{\"user_id\":\"hunter\"}"),
        ] as [(String, [String], String)] {
            let wire = try Wire(to: address)
            wire.send(line, fields, body)
            #expect(wire.answer().hasPrefix("HTTP/1.1 4"), "\(line)")
        }
        return [token, "hunter"]
    }

    /// The words of each label, from the table of the operations page. One label may have several rows.
    private static func documentedWords() throws -> [String: Set<String>] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs/operations.md")
        let page = try String(contentsOf: file, encoding: .utf8)
        var words: [String: Set<String>] = [:]
        for row in page.matches(of: /\| `([a-z]+)`(?: of a [a-z]+)? \| ([^|\n]+) \|\n/) {
            let list = row.output.2.split { ",;:".contains($0) }.map { $0.trimmingCharacters(in: .whitespaces) }
            words[String(row.output.1), default: []].formUnion(list)
        }
        return words
    }

    // MARK: The reader itself

    @Test(
        arguments: ["", "a 1", "# TYPE a gauge\na 1\n", "# HELP a A.\na 1\n"]
            + [
                "a 1", "", "b 1\n", "a one\n", "a 1\na 2\n", "a{b=\"c} 1\n", "a{b=\"c\",b=\"c\"} 1\n",
                "a{b=\"c\"} 1\na{d=\"c\"} 1\n", "a{b=\"c\"d=\"e\"} 1\n", "a 1\n# HELP a A.\n# TYPE a gauge\na 1\n",
            ].map { "# HELP a A.\n# TYPE a gauge\n\($0)" } + [
                "# HELP a A.\n# TYPE a counter\na 1\n", "# HELP a_total A.\n# TYPE a_total counter\na_total -1\n",
                "# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n",
            ])
    func `a page that Prometheus would mind has a fault`(text: String) {
        #expect(!PrometheusPage(text).faults.isEmpty)
    }

    /// Bounds and counts of the buckets, sum and count.
    @Test(arguments: [
        ("1:1", "1", "1"), ("1:2 +Inf:1", "1", "1"), ("2:1 1:1 +Inf:1", "1", "1"), ("1:1 +Inf:1", "1", "2"),
        ("1:1 1:1 +Inf:1", "1", "1"), ("+Inf:1", "", "1"), ("+Inf:1", "1", ""), ("", "1", "1"), ("+Inf:1", "-1", "1"),
    ])
    func `a histogram that does not add up is a fault`(buckets: String, sum: String, count: String) {
        var text = "# HELP a A.\n# TYPE a histogram\n"
        for bucket in buckets.split(separator: " ").map({ $0.split(separator: ":") }) {
            text += "a_bucket{le=\"\(bucket[0])\"} \(bucket[1])\n"
        }
        if !sum.isEmpty { text += "a_sum \(sum)\n" }
        if !count.isEmpty { text += "a_count \(count)\n" }
        #expect(!PrometheusPage(text).faults.isEmpty, "\(text)")
    }

    @Test func `a good page has no fault`() {
        let page = PrometheusPage(
            """
            # HELP a_total A.
            # TYPE a_total counter
            a_total{b="c\\"d\\\\\\n",e=""} 1
            a_total{b="f",e=""} 2.5e-07
            # HELP g A.
            # TYPE g gauge
            g NaN
            # HELP h A.
            # TYPE h histogram
            h_bucket{b="c",le="0.5"} 0
            h_bucket{b="c",le="+Inf"} 2
            h_sum{b="c"} 3
            h_count{b="c"} 2

            """)
        #expect(page.faults.isEmpty, "\(page.faults)")
        #expect(page.families.map(\.samples.count) == [2, 1, 4])
    }
}
