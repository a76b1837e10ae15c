// SPDX-License-Identifier: Apache-2.0
// What one tenant, or a stranger, can do to a service on purpose or by accident.

import Access
import Foundation
import Model

/// A load that runs on a thread of its own, beside a victim.
protocol Attacker: Sendable {
    /// Attacks the service at this port until `seconds` are over. Returns how often which answer came.
    func run(port: Int, seconds: Double) throws -> [String: Int]
}

enum Attack: String, CaseIterable {
    case oneUser = "4,000 deliveries of one user under way"
    case oneDelivery = "one delivery 4,000 times under way"
    case pages = "400 requests for failed users among 300,000"
    case strangers = "200 connections with unknown keys and hooks"
    case readiness = "1,000 requests for /readyz under way"
    case ignored = "2,000 events a second that ask nothing"
    case tokens = "one key's login tokens of 20,000 users, 200 under way"
    case slowBodies = "1,000 connections with 250 of 256 KB of a body"
    case slowHeads = "1,000 connections with 31 of 32 KB of a head"

    /// Makes the load. What must be signed is signed now, because a signature holds for five minutes only.
    func attacker(on ground: AttackGround) throws -> any Attacker {
        let (path, secret) = (ground.stage.hookPath, ground.stage.secret)
        switch self {
        case .oneUser:
            let signed = try SignedRequests(20_000, first: 0, path: path, secret: secret, user: "repeated")
            return Flood(requests: signed.requests, connections: 4_000)
        case .oneDelivery:
            let signed = try SignedRequests(1, first: 1_000_000, path: path, secret: secret)
            return Flood(requests: signed.requests, connections: 4_000)
        case .pages:
            let page = Self.get("/v1/tenants/acme/users?status=failed", key: ground.key)
            return Flood(requests: [page], connections: 400)
        case .strangers: return Flood(requests: Self.strangerRequests, connections: 200)
        case .readiness: return Flood(requests: [Self.get("/readyz")], connections: 1_000)
        case .ignored:
            let signed = try SignedRequests(5_000, first: 0, path: path, secret: secret, type: "user.seen")
            return Flood(requests: signed.requests, connections: 64, perSecond: 2_000)
        case .tokens:
            let tokens = (1...AttackGround.readyUsers).map { Self.token("user-\($0)", key: ground.key) }
            return Flood(requests: tokens, connections: 200)
        case .slowBodies: return SlowSenders(start: Self.body(path))
        case .slowHeads: return SlowSenders(start: Self.head)
        }
    }

    // MARK: Requests

    private static func get(_ path: String, key: String? = nil) -> [UInt8] {
        let proof = key.map { "authorization: Bearer \($0)\r\n" } ?? ""
        return Array("GET \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\n\(proof)\r\n".utf8)
    }

    private static func token(_ user: String, key: String) -> [UInt8] {
        let body = "{\"user_id\":\"\(user)\"}"
        return Array(
            """
            POST /v1/login-tokens HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer \(key)\r\n\
            content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)
            """.utf8)
    }

    /// Well-formed keys and hooks that nobody has made, in turns.
    private static var strangerRequests: [[UInt8]] {
        var generator = SystemRandomNumberGenerator()
        return (0..<20_000).map { number in
            guard number.isMultiple(of: 2) else {
                return Self.get("/v1/tenants/acme/users", key: APIKey.make(using: &generator).text.reveal())
            }
            let hook = "/v1/hooks/hk_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
            return Array("POST \(hook) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}".utf8)
        }
    }

    private static func body(_ path: String) -> [UInt8] {
        let head = "POST \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 262144\r\n\r\n"
        return Array(head.utf8) + Array(repeating: UInt8(ascii: "x"), count: 250 * 1024)
    }

    private static var head: [UInt8] {
        var head = "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        for number in 0..<31 { head += "x-pad-\(number): \(String(repeating: "x", count: 1_000))\r\n" }
        return Array((head + "x-last: ").utf8)
    }
}
