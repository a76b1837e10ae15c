// SPDX-License-Identifier: Apache-2.0
// Requests over HTTP: signed webhooks and login tokens, and the answers to them.

import AsyncHTTPClient
import Composition
import Foundation
import Intake
import Model
import NIOCore
import NIOHTTP1

extension Story {
    /// One answer over HTTP, read to its end.
    struct Reply: Sendable {
        let status: Int
        let body: String
        var headers: HTTPHeaders = [:]
    }

    /// The two event types that ask for something.
    enum EventType: String {
        case created = "user.created"
        case deleted = "user.deleted"
    }

    /// Sends a signed webhook about one user. `node`: another node's address; `time`: when it happened.
    func send(
        _ type: EventType, _ user: String, delivery: String, to node: String? = nil, at time: Date = Date()
    ) async throws -> Reply {
        let url = (node ?? self.address) + self.hookPath
        let sender = try SignUpSender(url: url, secret: Secret(self.secret), http: self.http)
        let reply = try await sender.send(
            type: type.rawValue, user: try Self.user(user), deliveryID: delivery, at: Date(), occurredAt: time)
        return Reply(status: reply.status, body: reply.body)
    }

    /// Sends a signed webhook with this body.
    func deliver(_ body: String, _ id: String) async throws -> Reply {
        try await self.request(.POST, self.hookPath, body, try self.signed(body, id: id))
    }

    /// The headers of a delivery that proves itself (Standard Webhooks).
    func signed(_ body: String, id: String = "msg_1", at now: Date = Date()) throws -> HTTPHeaders {
        let stamp = Int64(now.timeIntervalSince1970)
        let key = try StandardWebhooksProof.key(from: self.secret)
        return [
            "webhook-id": id, "webhook-timestamp": "\(stamp)",
            "webhook-signature": StandardWebhooksProof.sign(
                id: id, timestamp: stamp, body: Array(body.utf8), key: key),
        ]
    }

    /// Asks for a login token. `wait`: seconds (`Prefer: wait=N`, RFC 7240).
    func loginToken(for user: String, tenant: String? = nil, wait: Int? = nil) async throws -> Reply {
        struct Ask: Encodable {
            var user_id: String
            var tenant: String?
        }
        var headers: HTTPHeaders = ["authorization": "Bearer \(self.key)", "content-type": "application/json"]
        if let wait { headers.add(name: "prefer", value: "wait=\(wait)") }
        let body = String(decoding: try JSONEncoder().encode(Ask(user_id: user, tenant: tenant)), as: UTF8.self)
        return try await self.request(.POST, "/v1/login-tokens", body, headers)
    }

    func request(
        _ method: HTTPMethod, _ path: String, _ body: String = "", _ headers: HTTPHeaders = [:]
    ) async throws -> Reply {
        try await self.http.reply(method, self.address + path, body, headers)
    }
}

extension Story.Reply {
    /// A problem body (RFC 9457).
    struct Problem: Decodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var code: String
        var request_id: String
    }

    struct LoginToken: Decodable {
        var login_token: String
        var sip_username: String
    }

    private struct Receipt: Decodable {
        struct Item: Decodable {
            var event_id: String
            var status: String
        }
        var event_id: String
        var status: String
        var items: [Item]?
    }

    private var receipt: Receipt? { try? self.decode(Receipt.self) }

    /// What became of the delivery. Nil when the body is no receipt.
    var outcome: EventOutcome? { self.receipt.flatMap { EventOutcome(rawValue: $0.status) } }

    /// What became of each user of a delivery of several, in its order. Empty when the receipt has no items.
    var outcomes: [EventOutcome?] { (self.receipt?.items ?? []).map { EventOutcome(rawValue: $0.status) } }

    var problem: Problem? { try? self.decode(Problem.self) }
    var loginToken: LoginToken? { try? self.decode(LoginToken.self) }

    func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(self.body.utf8))
    }
}

extension HTTPClient {
    /// Sends one request and reads the answer to its end.
    func reply(
        _ method: HTTPMethod, _ url: String, _ body: String = "", _ headers: HTTPHeaders = [:]
    ) async throws -> Story.Reply {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let answer = try await self.execute(request, timeout: .seconds(40))
        return Story.Reply(
            status: Int(answer.status.code), body: String(buffer: try await answer.body.collect(upTo: 1 << 22)),
            headers: answer.headers)
    }
}
