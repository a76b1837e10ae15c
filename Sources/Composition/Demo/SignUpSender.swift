// SPDX-License-Identifier: Apache-2.0
// Acts as an identity provider: signs a canonical event and posts it to a hook.

package import AsyncHTTPClient
import Crypto
package import Foundation
import Intake
package import Model
import NIOCore
import NIOHTTP1

/// Sends signed events to one hook.
package struct SignUpSender: Sendable {
    /// The hook's answer.
    package struct Reply: Sendable {
        package let status: Int
        package let body: String
    }

    private let url: String
    private let key: SymmetricKey
    private let http: HTTPClient

    /// `secret` is the source's secret. Throws when it cannot be read as one.
    package init(url: String, secret: Secret<String>, http: HTTPClient) throws {
        self.url = url
        self.key = try StandardWebhooksProof.key(from: secret.reveal())
        self.http = http
    }

    /// Posts `{"type":…,"timestamp":…,"data":{"user_id":…,"tenant_id":…}}` with the Standard Webhooks headers.
    ///
    /// `now` is the time of the signature. `occurredAt` is the time of the event; nil means `now`.
    package func send(
        type: String, user: UserKey, deliveryID: String, at now: Date, occurredAt: Date? = nil
    ) async throws -> Reply {
        struct Event: Encodable {
            struct Payload: Encodable {
                var user_id: String
                var tenant_id: String
            }
            var type: String
            var timestamp: String
            var data: Payload
        }
        let event = Event(
            type: type, timestamp: Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(occurredAt ?? now),
            data: .init(user_id: user.user.rawValue, tenant_id: user.tenant.rawValue))
        return try await self.post([UInt8](try JSONEncoder().encode(event)), deliveryID: deliveryID, at: now)
    }

    /// Signs a body and posts it. `now` is the time of the signature.
    package func post(_ body: [UInt8], deliveryID: String, at now: Date) async throws -> Reply {
        let stamp = Int64(now.timeIntervalSince1970)
        var request = HTTPClientRequest(url: self.url)
        request.method = .POST
        request.headers = [
            "content-type": "application/json", "webhook-id": deliveryID, "webhook-timestamp": "\(stamp)",
            "webhook-signature": StandardWebhooksProof.sign(
                id: deliveryID, timestamp: stamp, body: body, key: self.key),
        ]
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await self.http.execute(request, timeout: .seconds(30))
        let answer = try await response.body.collect(upTo: 65_536)
        return Reply(status: Int(response.status.code), body: String(buffer: answer))
    }
}
