// SPDX-License-Identifier: Apache-2.0
// What one client says on one connection and what it must hear, on whichever path it is answered, as a table.

import Foundation
import NIOHTTP1

/// A request in bytes, cut where the client waits, and the answers to it.
struct Conversation: Sendable {
    let name: String
    /// The method, `POST` for a signed webhook.
    var method = "POST"
    var version = "1.1"
    /// Further header lines, each with its line end.
    var fields = ""
    /// Whether the client sends its body only after the first answer.
    var holdsBody = false
    /// Instead of the body's length.
    var length: Int?
    /// `status`, `status close` and so on: each answer's status and its Connection and Allow fields.
    let hears: [String]
    let goesOn: Bool

    private static let upgrade =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    private static let expect = "Expect: 100-continue\r\n"
    private static let allow = "allow POST, OPTIONS"

    static let all: [Conversation] = connections + bodies + methods + heads

    private static let connections = [
        Conversation(name: "plain", hears: ["202"], goesOn: true),
        Conversation(name: "keep-alive", fields: "Connection: keep-alive\r\n", hears: ["202"], goesOn: true),
        Conversation(name: "close", fields: "Connection: close\r\n", hears: ["202 close"], goesOn: false),
        Conversation(name: "Close", fields: "Connection: Close\r\n", hears: ["202 close"], goesOn: false),
        Conversation(name: "a list", fields: "Connection: te, CLOSE\r\n", hears: ["202 close"], goesOn: false),
        Conversation(
            name: "two lines", fields: "Connection: te\r\nConnection: close\r\n", hears: ["202 close"], goesOn: false),
        Conversation(name: "HTTP/1.0", version: "1.0", hears: ["202 close"], goesOn: false),
        Conversation(
            name: "HTTP/1.0 that stays", version: "1.0", fields: "Connection: Keep-Alive\r\n",
            hears: ["202 keep-alive"], goesOn: true),
        Conversation(name: "h2c", fields: upgrade, hears: ["202"], goesOn: true),
        Conversation(
            name: "websocket", fields: "Connection: Upgrade\r\nUpgrade: websocket\r\n", hears: ["202"], goesOn: true),
        Conversation(
            name: "an unclear upgrade", fields: "Connection: te\r\nConnection: upgrade\r\nUpgrade: h2c\r\n",
            hears: ["202 close"], goesOn: false),
        Conversation(
            name: "an upgrade by another name", fields: "Proxy-Connection: upgrade\r\nUpgrade: h2c\r\n",
            hears: ["202 close"], goesOn: false),
        Conversation(
            name: "a close by another name", fields: "Proxy-Connection: close\r\n", hears: ["202 close"],
            goesOn: false),
        Conversation(
            name: "a stay by another name", fields: "Proxy-Connection: keep-alive\r\n", hears: ["202 close"],
            goesOn: false),
    ]

    private static let bodies = [
        Conversation(name: "held body", fields: expect, holdsBody: true, hears: ["100", "202"], goesOn: true),
        Conversation(
            name: "h2c and a held body", fields: upgrade + expect, holdsBody: true, hears: ["100", "202"], goesOn: true),
        Conversation(name: "body that did not wait", fields: expect, hears: ["202"], goesOn: true),
        Conversation(name: "HTTP/1.0 expects", version: "1.0", fields: expect, hears: ["202 close"], goesOn: false),
        Conversation(
            name: "unknown expectation", fields: "Expect: coffee\r\n", holdsBody: true, hears: ["417 close"],
            goesOn: false),
        Conversation(
            name: "held body that is too long", fields: expect, holdsBody: true, length: 300_000, hears: ["413 close"],
            goesOn: false),
        Conversation(
            name: "held body that is encoded", fields: expect + "Content-Encoding: gzip\r\n", holdsBody: true,
            hears: ["415 close"], goesOn: false),
    ]

    private static let methods =
        ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "MKCOL", "LOCK", "SEARCH", "QUERY", "M-SEARCH"]
        .map { Conversation(name: $0, method: $0, hears: ["405 \(allow)"], goesOn: true) }
        + [
            Conversation(name: "OPTIONS", method: "OPTIONS", hears: ["204 \(allow)"], goesOn: true),
            Conversation(name: "unknown method", method: "FOO", hears: ["501 close"], goesOn: false),
        ]

    private static let heads = [
        Conversation(
            name: "long field", fields: "X-Long: \(String(repeating: "x", count: 9000))\r\n", hears: ["431 close"],
            goesOn: false),
        Conversation(
            name: "many fields", fields: String(repeating: "X: y\r\n", count: 101), hears: ["431 close"], goesOn: false),
        Conversation(
            name: "two framings", fields: "Transfer-Encoding: chunked\r\n", hears: ["400 close"], goesOn: false),
        Conversation(name: "two lengths", fields: "Content-Length: 1\r\n", hears: ["400 close"], goesOn: false),
    ]

    /// Speaks with the service, and returns what was heard and whether the connection goes on.
    func hold(_ client: RawClient, _ webhook: Story.Webhook, at path: String) async throws -> ([String], Bool) {
        let isPost = self.method == "POST"
        let body = isPost ? webhook.body : ""
        try await client.send(
            """
            \(self.method) \(path) HTTP/\(self.version)\r\nHost: a\r\n\(webhook.fields)\(self.fields)\
            Content-Length: \(self.length ?? body.utf8.count)\r\n\r\n\(self.holdsBody ? "" : body)
            """)
        var heard: [String] = []
        while let answer = try await client.answer(isHead: self.method == "HEAD") {
            let notes = [answer.field("connection"), answer.field("allow").map { "allow \($0)" }].compactMap { $0 }
            heard.append((["\(answer.status)"] + notes).joined(separator: " "))
            guard answer.status == 100 else { break }
            try await client.send(body)
        }
        return (heard, try await client.goesOn())
    }
}

extension Story {
    /// One signed sign-up in parts.
    struct Webhook {
        /// Header lines, each with its line end.
        let fields: String
        let body: String
    }

    /// The delivery's id is the user's.
    func webhook(_ user: String) throws -> Webhook {
        let body = "{\"type\":\"user.created\",\"data\":{\"user_id\":\"\(user)\"}}"
        let fields = try self.signed(body, id: "msg_\(user)").map { "\($0.name): \($0.value)\r\n" }.joined()
        return Webhook(fields: fields, body: body)
    }
}
