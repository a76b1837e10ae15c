// SPDX-License-Identifier: Apache-2.0
// How a connection behaves does not depend on the path that answers it: each conversation is held on both.

import Composition
import Foundation
import Model
import Testing

@Suite struct ConversationTests {
    @Test(.timeLimit(.minutes(10)))
    func `every conversation is heard alike on the fast path and on the router`() async throws {
        try await Story.with { story in
            for (number, conversation) in Conversation.all.enumerated() {
                // A query hands the request over to the router. A source that is in memory is on the fast path.
                for (lane, path) in [("fast", story.hookPath), ("routed", story.hookPath + "?a=b")] {
                    _ = try await story.send(.created, "warm", delivery: "warm-\(number)-\(lane)")
                    let webhook = try story.webhook("u-\(number)-\(lane)")
                    try await RawClient.with(story.address) { client in
                        let (heard, goesOn) = try await conversation.hold(client, webhook, at: path)
                        #expect(heard == conversation.hears, "\(conversation.name), \(lane)")
                        #expect(goesOn == conversation.goesOn, "\(conversation.name), \(lane)")
                    }
                }
            }
        }
    }

    @Test func `escapes of unreserved characters lead to the same hook, tenant and user`() async throws {
        try await Story.with { story in
            try await story.signUp("u_1")
            let hook = story.hookPath.replacing("hk_", with: "h%6b%5F").replacing("/v1/", with: "/%761/")
            let webhook = try story.webhook("u-2")
            try await RawClient.with(story.address) { client in
                try await client.send(
                    """
                    POST \(hook) HTTP/1.1\r\nHost: a\r\n\(webhook.fields)\
                    Content-Length: \(webhook.body.utf8.count)\r\n\r\n\(webhook.body)
                    """)
                let stored = try await client.answer()
                #expect(stored?.status == 202)
                let key = "Authorization: Bearer \(story.key)\r\n"
                for (path, status) in [("ac%6De/users/u%5F1", 200), ("acme/users/u%255F1", 404)] {
                    try await client.send("GET /v1/tenants/\(path) HTTP/1.1\r\nHost: a\r\n\(key)\r\n")
                    let answer = try await client.answer()
                    #expect(answer?.status == status, "\(path)")
                }
            }
        }
    }

    @Test func `no body is awaited for a hook that does not exist, nor for a key that is missing`() async throws {
        try await Story.with { story in
            let path = "/v1/hooks/hk_no"
            for (line, status) in [("POST \(path)", 404), ("POST /v1/login-tokens", 401)] {
                for expect in ["", "Expect: 100-continue\r\n"] {
                    try await RawClient.with(story.address) { client in
                        try await client.send("\(line) HTTP/1.1\r\nHost: a\r\n\(expect)Content-Length: 2000\r\n\r\n")
                        let answer = try await client.answer()
                        #expect(answer?.status == status)
                        #expect(answer?.field("connection") == (expect.isEmpty ? nil : "close"))
                    }
                }
            }
        }
    }

    @Test func `bytes that never become a request are answered with a problem and closed`() async throws {
        try await Story.with { story in
            for bytes in ["GET /\r\n", "GARBAGE\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}", "CONNECT a:443 HTTP/1.1\r\n\r\n"] {
                try await RawClient.with(story.address) { client in
                    try await client.send(bytes)
                    let first = try await client.answer()
                    let answer = try #require(first, "\(bytes)")
                    #expect(answer.status == (bytes.hasPrefix("CONNECT") ? 501 : 400))
                    #expect(answer.field("content-type") == "application/problem+json")
                    #expect(answer.field("connection") == "close")
                    let second = try await client.answer()
                    #expect(second == nil, "the connection stays after \(bytes)")
                }
            }
        }
    }

    /// The head is believed for five seconds; a body that takes longer meets the source as it is then.
    @Test(.timeLimit(.minutes(10)))
    func `a secret that is rotated while a body arrives is refused after five seconds`() async throws {
        try await Story.with { story in
            _ = try await story.send(.created, "warm", delivery: "warm")
            let webhook = try story.webhook("late")
            let clock = ContinuousClock()
            try await RawClient.with(story.address) { client in
                try await client.send(
                    "POST \(story.hookPath) HTTP/1.1\r\nHost: a\r\n\(webhook.fields)"
                        + "Content-Length: \(webhook.body.utf8.count)\r\n\r\n")
                _ = try await story.administration.rotateSource("app", tenant: TenantID("acme"), overlap: .zero)
                // The rotation is older than the cache allows when another connection is refused.
                let begin = clock.now
                while try await story.send(.created, "probe", delivery: "probe").status != 401 {
                    try #require(clock.now - begin < .seconds(15), "the old secret holds")
                }
                try await client.send(webhook.body)
                let answer = try await client.answer()
                #expect(answer?.status == 401)
            }
        }
    }
}
