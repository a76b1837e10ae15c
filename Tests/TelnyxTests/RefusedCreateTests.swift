// SPDX-License-Identifier: Apache-2.0
// The client sorts every refusal of a create: rejected, unauthorised, or rate limited.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct RefusedCreateTests {
    @Test func `a rejection keeps the provider's words, shortened and without control characters`() async throws {
        let long = String(repeating: "x", count: 5000)
        let bodies: [(String, ProviderWords)] = [
            (
                "{\"errors\":[{\"code\":\"10015\",\"title\":\"Bad\",\"detail\":\"tag\\n\\u0007is full\"}]}",
                ProviderWords(code: "10015", text: "Bad: tagis full")
            ),
            (
                "{\"errors\":[{\"code\":\"1\u{202e}2\",\"title\":\"\\u009b2J\",\"detail\":\"a\\u200b\\u2028b\"}]}",
                ProviderWords(code: "12", text: "2J: ab")
            ),
            ("{\"errors\":[{\"code\":\"10027\"}]}", ProviderWords(code: "10027", text: nil)),
            ("{\"errors\":[{\"code\":10027,\"title\":\"T\"}]}", ProviderWords(code: "10027", text: "T")),
            ("{\"errors\":{\"status\":\"is expired\"}}", ProviderWords(code: nil, text: "status is expired")),
            ("{\"errors\":[]}", ProviderWords()), ("{\"errors\":[1]}", ProviderWords()), ("", ProviderWords()),
            ("<html>no</html>", ProviderWords()), ("[]", ProviderWords()), ("{\"errors\":null}", ProviderWords()),
            (
                "{\"errors\":[{\"code\":\"\(long)\",\"title\":\"\(long)\"}]}",
                ProviderWords(code: String(long.prefix(40)), text: String(long.prefix(300)))
            ),
        ]
        for status in [400, 404, 422] {
            for (body, expected) in bodies {
                try await ScriptedClient.with([.reply(status, body)]) { client, server in
                    let outcome = await client.create(ScriptedClient.request)
                    guard case .rejected(status, let words, _) = outcome else {
                        Issue.record("\(status) \(body.prefix(40)) is \(ScriptedClient.word(outcome))")
                        return
                    }
                    #expect(words == expected)
                    #expect(server.seen.count == 1)
                }
            }
        }
    }

    @Test func `a 401 concerns the whole account and a 403 the connection`() async throws {
        try await ScriptedClient.with([.reply(401, "{}"), .reply(403)]) { client, _ in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "unauthorised account")
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "unauthorised connection")
        }
    }

    @Test func `a rate limit's wait is read in every unit and kept within 1 to 900 seconds`() async throws {
        let epoch = Int(ScriptedClient.now.timeIntervalSince1970)
        let cases: [([String], Int)] = [
            (["retry-after: 7"], 7), (["retry-after-ms: 3000"], 3), (["x-ratelimit-reset: 12"], 12),
            (["x-ratelimit-reset: \(epoch + 30)"], 30), (["x-ratelimit-reset: \((epoch + 40) * 1000)"], 40),
            (["x-ratelimit-reset: \(epoch - 30)"], 1), (["x-ratelimit-reset: -5"], 1), (["x-ratelimit-reset: soon"], 1),
            (["retry-after: nan"], 1), (["retry-after: inf"], 1), (["retry-after: 1e300"], 900),
            (["retry-after: 99999"], 900), (["retry-after: 0"], 1),
            (["retry-after: Fri, 15 Jan 2027 08:01:00 GMT"], 60),
            (["retry-after: Fri, 15 Jan 2027 07:00:00 GMT"], 1), ([], 1),
            (["retry-after: garbage", "x-ratelimit-reset: 12"], 12), (["retry-after: 5", "x-ratelimit-reset: 12"], 5),
        ]
        try await ScriptedClient.with(cases.map { .reply(429, "", $0.0) }) { client, server in
            for (headers, seconds) in cases {
                let outcome = await client.create(ScriptedClient.request)
                #expect(ScriptedClient.word(outcome) == "rateLimited \(seconds)", "\(headers)")
            }
            #expect(server.seen.count == cases.count)
        }
    }
}
