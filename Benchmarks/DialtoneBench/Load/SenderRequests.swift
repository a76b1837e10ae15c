// SPDX-License-Identifier: Apache-2.0
// Requests of senders with presets, made beforehand as bytes: Clerk's, Okta's, and one with a signed token.

import Crypto
import CryptoExtras
import Foundation
import Intake

/// Each makes a membership of the organisation `org_bench`, so that its user is wanted at once. Users are numbered.
enum SenderRequests {
    static let organization = "org_bench"
    private static let filling = String(repeating: "lorem ipsum dolor sit amet ", count: 24)

    /// Clerk: one membership a request, with a body of about 1 KB, signed with Svix's headers.
    static func clerk(_ count: Int, first: Int, path: String, secret: String) throws -> [[UInt8]] {
        let key = try StandardWebhooksProof.key(from: secret)
        let stamp = Int64(Date().timeIntervalSince1970)
        return (first..<first + count).map { number in
            let body = Array(
                """
                {"data":{"created_at":\(stamp)000,"id":"orgmem_\(number)","object":"organization_membership",\
                "organization":{"id":"\(Self.organization)","name":"\(Self.filling)","object":"organization"},\
                "public_user_data":{"first_name":"Ada","identifier":"user-\(number)@example.com","last_name":"King",\
                "user_id":"user_\(number)"},"role":"org:member","updated_at":\(stamp)000},"object":"event",\
                "timestamp":\(stamp)000,"type":"organizationMembership.created"}
                """.utf8)
            let id = "msg_\(number)"
            let signature = StandardWebhooksProof.sign(id: id, timestamp: stamp, body: body, key: key)
            return Self.request(
                path, ["svix-id: \(id)", "svix-timestamp: \(stamp)", "svix-signature: \(signature)"], body)
        }
    }

    /// Okta: twenty memberships a request, each of about 1 KB, with the secret in a header.
    static func okta(_ count: Int, first: Int, path: String, secret: String) -> [[UInt8]] {
        let time = Date().formatted(.iso8601)
        return (first..<first + count).map { number in
            let events = (0..<20).map { place in
                """
                {"uuid":"\(number)-\(place)","published":"\(time)","eventType":"group.user_membership.add",\
                "version":"0","displayMessage":"\(Self.filling)","actor":{"id":"00u1","type":"User"},\
                "outcome":{"result":"SUCCESS"},"target":[{"id":"okta-\(number)-\(place)","type":"User",\
                "alternateId":"a@example.com","displayName":"Ada"},\
                {"id":"\(Self.organization)","type":"UserGroup","displayName":"Everyone"}]}
                """
            }
            let body =
                "{\"eventType\":\"com.okta.event_hook\",\"data\":{\"events\":[\(events.joined(separator: ","))]}}"
            return Self.request(path, ["authorization: \(secret)"], Array(body.utf8))
        }
    }

    /// A sender that signs each body with an RS256 token.
    static func tokens(_ count: Int, first: Int, path: String, key: _RSA.Signing.PrivateKey) throws -> [[UInt8]] {
        let now = Int64(Date().timeIntervalSince1970)
        return try (first..<first + count).map { number in
            let body = Array(
                """
                {"id":"t-\(number)","type":"member.added","user":"token-\(number)","org":"\(Self.organization)",\
                "note":"\(Self.filling)"}
                """.utf8)
            let hash = SHA256.hash(data: body).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            let claims = "{\"iss\":\"bench\",\"iat\":\(now),\"exp\":\(now + 3600),\"body_sha256\":\"\(hash)\"}"
            let signed = "\(Self.base64URL(Array("{\"alg\":\"RS256\"}".utf8))).\(Self.base64URL(Array(claims.utf8)))"
            let signature = try key.signature(for: Data(signed.utf8), padding: .insecurePKCS1v1_5)
            let token = "\(signed).\(Self.base64URL(Array(signature.rawRepresentation)))"
            return Self.request(path, ["authorization: Bearer \(token)"], body)
        }
    }

    /// One delivery that brings so many members.
    static func members(_ count: Int, path: String, secret: String) -> [UInt8] {
        let members = (0..<count).map { "\"many-\($0)\"" }.joined(separator: ",")
        let body =
            "{\"id\":\"many\",\"type\":\"members.added\",\"org\":\"\(Self.organization)\",\"users\":[\(members)]}"
        return Self.request(path, ["authorization: \(secret)"], Array(body.utf8))
    }

    /// Returns the request with another signature, or with another secret: its last byte of the named header differs.
    static func forged(_ request: [UInt8], header: String) -> [UInt8] {
        let name = Array("\r\n\(header): ".utf8)
        guard let start = request.firstRange(of: name), let end = request[start.upperBound...].firstIndex(of: 13) else {
            return request
        }
        var forged = request
        // The fifth byte from the end, because the last ones of base64 may hold padding.
        let place = Swift.max(start.upperBound, end - 5)
        forged[place] = forged[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        return forged
    }

    private static func request(_ path: String, _ headers: [String], _ body: [UInt8]) -> [UInt8] {
        let head = """
            POST \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
            \(headers.joined(separator: "\r\n"))\r\ncontent-length: \(body.count)\r\n\r\n
            """
        return Array(head.utf8) + body
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
