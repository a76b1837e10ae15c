// SPDX-License-Identifier: Apache-2.0
// What was refused or ignored over HTTP is counted by closed reasons, and shown to an operator without any value of it.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct RefusedStoryTests {
    /// Counts are written when a node ends, so each test sends to a node that ends before it reads.
    private static func with(_ send: (Story, String) async throws -> Void, then read: (Story) async throws -> Void)
        async throws
    {
        try await Story.with { story in
            try await story.withSecondNode { node in try await send(story, node) }
            try await read(story)
        }
    }

    private static let canary: HTTPHeaders = ["x-canary": "CANARY-of-a-header", "authorization": "Bearer CANARY-key"]

    /// Sends a request to the source's hook, or to another path, and expects its status.
    private static func send(
        _ body: String, _ headers: HTTPHeaders, to path: String? = nil, at node: String, of story: Story, is status: Int
    ) async throws {
        var headers = headers
        headers.add(contentsOf: Self.canary)
        let reply = try await story.http.reply(.POST, node + (path ?? story.hookPath), body, headers)
        #expect(reply.status == status, "\(reply.body)")
    }

    private static let secret = #"{"type":"user.created","data":{"user_id":"CANARY-user"}}"#

    /// Twice, because the first delivery of a source takes the router's way, and the others the fast path.
    private static func sendUnproven(at node: String, of story: Story) async throws {
        let hour = Date() - 3600
        for number in 1...2 {
            try await Self.send(Self.secret, [:], at: node, of: story, is: 401)
            var forged = try story.signed(Self.secret, id: "m\(number)")
            forged.replaceOrAdd(name: "webhook-signature", value: "v1,\(String(repeating: "A", count: 43))=")
            try await Self.send(Self.secret, forged, at: node, of: story, is: 401)
            let stale = try story.signed(Self.secret, id: "s\(number)", at: hour)
            try await Self.send(Self.secret, stale, at: node, of: story, is: 401)
        }
        try await Self.send(Self.secret, [:], to: "/v1/hooks/hk_CANARY", at: node, of: story, is: 404)
    }

    private static func sendUnusable(at node: String, of story: Story) async throws {
        let large = String(repeating: " ", count: 300_000)
        let bodies = [
            (large, "l", 413), (#"CANARY"#, "j", 400), (#"{"type":"user.created","data":{"user_id":7}}"#, "w", 422),
            (#"{"type":"user.created","data":{"user_id":"u","tenant_id":"globex"}}"#, "t", 422),
            (#"{"type":"user.created","data":{"user_id":"u"}}"#, "r", 202),
            (#"{"type":"user.created","data":{"user_id":"v"}}"#, "r", 409),
        ]
        for (body, id, status) in bodies {
            try await Self.send(body, try story.signed(body, id: id), at: node, of: story, is: status)
        }
    }

    @Test func `each refusal has a closed reason, and the clock's difference is told where the proof held`()
        async throws
    {
        try await Self.with { story, node in
            try await Self.sendUnproven(at: node, of: story)
            try await Self.sendUnusable(at: node, of: story)
        } then: { story in
            let report = try await story.administration.tally(of: "refused", source: nil, tenant: nil, limit: 100)
            let counts = report.data.map { "\($0.source ?? "-") \($0.reason) \($0.last_hour) \($0.total)" }
            #expect(
                counts.sorted() == [
                    "- unknown_hook 1 1", "app body_not_json 1 1", "app body_wrong_value 1 1",
                    "app delivery_id_reused 1 1", "app proof_expired 2 2", "app proof_missing 2 2",
                    "app proof_signature 2 2", "app tenant_not_allowed 1 1", "app too_large 1 1",
                ])
            let skews = report.data.filter { $0.skew_ms != nil }
            #expect(skews.map(\.reason) == ["proof_expired"])
            #expect(abs((skews.first?.skew_ms ?? 0) + 3_600_000) < 60_000)
            #expect(Set(report.samples.map { $0.source ?? "-" }) == ["-", "app"])
            #expect(report.samples.contains { $0.body_bytes == Self.secret.utf8.count })
            for sample in report.samples {
                #expect(sample.headers.contains { $0.name == "x-canary" && $0.bytes == 18 })
            }
            try await Self.expectNoCanary(in: story)
        }
    }

    @Test func `what is ignored is counted by its type, and one source's rows are shown alone`() async throws {
        try await Self.with { story, node in
            for (number, type) in ["session.created", "session.created", "email.sent"].enumerated() {
                let body = #"{"type":"\#(type)","data":"CANARY"}"#
                try await Self.send(body, try story.signed(body, id: "i\(number)"), at: node, of: story, is: 200)
            }
        } then: { story in
            let acme = try TenantID("acme")
            for (source, tenant) in [(nil, nil), ("app", acme), (nil, acme), ("app", nil)] as [(String?, TenantID?)] {
                let report = try await story.administration.tally(
                    of: "ignored", source: source, tenant: tenant, limit: 100)
                let counts = report.data.map { "\($0.tenant ?? "-") \($0.reason) \($0.total)" }
                #expect(counts.sorted() == ["acme email.sent 1", "acme session.created 2"])
                #expect((1...2).contains(report.samples.count) && report.data.first?.cells.first == "acme/app")
            }
            let refused = try await story.administration.tally(of: "refused", source: "app", tenant: acme, limit: 9)
            #expect(refused.data.isEmpty && refused.samples.isEmpty)
            _ = try await story.administration.createSource("platform", tenant: nil, allowed: [acme], preset: nil)
            let shared = try await story.administration.tally(of: "ignored", source: "platform", tenant: acme, limit: 9)
            #expect(shared.data.isEmpty, "a source of several tenants is found by each of them")
            let one = try await story.administration.tally(of: "ignored", source: nil, tenant: nil, limit: 1)
            #expect(one.data.count == 1)
            await #expect(throws: (any Error).self) {
                try await story.administration.tally(of: "ignored", source: "nobody", tenant: nil, limit: 9)
            }
            await #expect(throws: InvalidValue.self) {
                try await story.administration.tally(of: "other", source: nil, tenant: nil, limit: 9)
            }
            let json = String(decoding: try JSONOutput.data(one), as: UTF8.self)
            #expect(json.contains(#""outcome":"ignored""#) && json.contains(#""skew_ms":null"#))
            try await Self.expectNoCanary(in: story)
        }
    }

    @Test func `made-up hooks and headers are one row a minute and one sample`() async throws {
        try await Self.with { story, node in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<4 {
                    group.addTask {
                        for number in 0..<50 {
                            try await Self.send(
                                "{}", ["x-\(lane)-\(number)": "1"], to: "/v1/hooks/hk_\(lane)_\(number)", at: node,
                                of: story, is: 404)
                        }
                    }
                }
                try await group.waitForAll()
            }
        } then: { story in
            let counts = try await story.rows(
                "select concat_ws(' ', reason, sum(count), count(*) <= 2) from dialtone.tally group by reason")
            #expect(counts == ["unknown_hook 200 t"])
            let samples = try await story.rows("select (count(*) <= 2)::text from dialtone.samples")
            #expect(samples == ["true"])
        }
    }

    /// No value of a header, of a path or of a body is in any table.
    private static func expectNoCanary(in story: Story) async throws {
        let tables = try await story.rows(
            "select tablename::text from pg_tables where schemaname = 'dialtone' order by tablename")
        #expect(tables.contains("tally") && tables.contains("samples"))
        for table in tables {
            let hits = try await story.rows(
                "select 'x' from dialtone.\(unsafeText: table) line where line::text like '%CANARY%' limit 1")
            #expect(hits.isEmpty, "\(table)")
        }
    }
}
