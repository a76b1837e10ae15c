// SPDX-License-Identifier: Apache-2.0
// Signed webhooks made beforehand as bytes, so that signing is no part of what is measured.

import Crypto
import Foundation
import Intake

/// Requests as bytes. Each has a user and a delivery of its own.
struct SignedRequests {
    let requests: [[UInt8]]

    /// Makes `count` sign-ups with bodies of about 1 KB, numbered from `first`. With `user` all are about this one.
    init(
        _ count: Int, first: Int, path: String, secret: String, tenant: String = "acme", user: String? = nil,
        type: String = "user.created"
    ) throws {
        let key = try StandardWebhooksProof.key(from: secret)
        let stamp = Int64(Date().timeIntervalSince1970)
        let time = Date().formatted(.iso8601)
        let filling = String(repeating: "lorem ipsum dolor sit amet ", count: 31)
        self.requests = (first..<first + count).map { number in
            let name = user ?? "user-\(number)"
            let body = Array(
                """
                {"type":"\(type)","timestamp":"\(time)","data":{"user_id":"\(name)","tenant_id":"\(tenant)",\
                "email":"user-\(number)@example.com","attributes":{"plan":"pro","note":"\(filling)"}}}
                """.utf8)
            let id = "msg_\(number)"
            let signature = StandardWebhooksProof.sign(id: id, timestamp: stamp, body: body, key: key)
            let head = """
                POST \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nwebhook-id: \(id)\r\n\
                webhook-timestamp: \(stamp)\r\nwebhook-signature: \(signature)\r\ncontent-length: \(body.count)\r\n\r\n
                """
            return Array(head.utf8) + body
        }
    }
}
