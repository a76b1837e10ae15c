// SPDX-License-Identifier: Apache-2.0
// One kind of proof with a sender that signs so, for tests that hold for every kind.

import Crypto
import Foundation
import Testing

struct SigningKind: Sendable, CustomTestStringConvertible {
    let name: String
    let configuration: String
    let secret: String
    /// Whether the proof covers the body, and a time.
    let coversBody: Bool
    let coversTime: Bool
    /// Returns the headers for a body at a time in Unix seconds. `isForged` signs with a secret of somebody else.
    let sign: @Sendable (_ body: [UInt8], _ time: Int64, _ isForged: Bool) -> [String: String]

    var testDescription: String { self.name }

    static let right = "made-up-secret-of-a-sender"
    static let other = "what-somebody-else-signs-with"

    static let all = [
        standard, standardPublic, list, listInMilliseconds, prefixed, plain, long, ownHeaders, token, sharedToken,
        header, bearer, basic,
    ]

    /// Those whose headers say the same whatever the body is.
    static let bound = all.filter(\.coversBody)
    static let timed = all.filter(\.coversTime)

    static func mac(_ text: String, _ body: [UInt8], _ isForged: Bool) -> Data {
        let key = SymmetricKey(data: Data((isForged ? Self.other : Self.right).utf8))
        return Data(HMAC<SHA256>.authenticationCode(for: Array(text.utf8) + body, using: key))
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}

// The HMAC forms, one for each way in which a known sender uses them.
extension SigningKind {
    private static let list = SigningKind(
        name: "a list with a time in seconds",
        configuration: """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature", "key": "v1",
             "timestamp": {"key": "t", "unit": "s", "tolerance": 300}, "content": "{timestamp}.{body}"}
            """, secret: right, coversBody: true, coversTime: true
    ) { body, time, isForged in
        ["x-signature": "t=\(time),v0=00,v1=\(hexadecimal(mac("\(time).", body, isForged)))"]
    }

    private static let listInMilliseconds = SigningKind(
        name: "a list with a time in milliseconds",
        configuration: """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature", "key": "v1",
             "timestamp": {"key": "t", "unit": "ms", "tolerance": 300}, "content": "{timestamp}.{body}"}
            """, secret: right, coversBody: true, coversTime: true
    ) { body, time, isForged in
        ["x-signature": "t=\(time)000, v1=\(hexadecimal(mac("\(time)000.", body, isForged)))"]
    }

    private static let prefixed = SigningKind(
        name: "hex behind a prefix",
        configuration: """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "X-Signature", "prefix": "sha256="}
            """, secret: right, coversBody: true, coversTime: false
    ) { body, _, isForged in ["x-signature": "sha256=\(hexadecimal(mac("", body, isForged)))"] }

    private static let plain = SigningKind(
        name: "base64",
        configuration: """
            {"kind": "hmac", "hash": "sha256", "encoding": "base64", "header": "x-signature"}
            """, secret: right, coversBody: true, coversTime: false
    ) { body, _, isForged in ["x-signature": mac("", body, isForged).base64EncodedString()] }

    private static let long = SigningKind(
        name: "SHA-512",
        configuration: """
            {"kind": "hmac", "hash": "sha512", "encoding": "base64", "header": "x-signature"}
            """, secret: right, coversBody: true, coversTime: false
    ) { body, _, isForged in
        let key = SymmetricKey(data: Data((isForged ? other : right).utf8))
        return ["x-signature": Data(HMAC<SHA512>.authenticationCode(for: body, using: key)).base64EncodedString()]
    }

    private static let ownHeaders = SigningKind(
        name: "time, id and another header beside the signature",
        configuration: """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature", "prefix": "v0=",
             "timestamp": {"header": "x-time", "unit": "s", "tolerance": 300}, "id": "x-id",
             "content": "v0:{id}:{timestamp}:{header:x-topic}:{body}"}
            """, secret: right, coversBody: true, coversTime: true
    ) { body, time, isForged in
        let code = mac("v0:id-1:\(time):users:", body, isForged)
        return [
            "x-signature": "v0=\(hexadecimal(code))", "x-time": "\(time)", "x-id": "id-1", "x-topic": "users",
        ]
    }
}

extension SigningKind {
    private static func standardHeaders(_ time: Int64, _ signature: String) -> [String: String] {
        ["webhook-id": "msg_1", "webhook-timestamp": "\(time)", "webhook-signature": signature]
    }

    private static let standard = SigningKind(
        name: "Standard Webhooks", configuration: #"{"kind": "standard-webhooks"}"#,
        secret: "whsec_\(Data(right.utf8).base64EncodedString())", coversBody: true, coversTime: true
    ) { body, time, isForged in
        standardHeaders(time, "v1,\(mac("msg_1.\(time).", body, isForged).base64EncodedString())")
    }

    private static let signer = Curve25519.Signing.PrivateKey()

    private static let standardPublic = SigningKind(
        name: "Standard Webhooks with a public key", configuration: #"{"kind": "standard-webhooks"}"#,
        secret: "whpk_\(signer.publicKey.rawRepresentation.base64EncodedString())", coversBody: true, coversTime: true
    ) { body, time, isForged in
        let key = isForged ? Curve25519.Signing.PrivateKey() : signer
        let signature = try? key.signature(for: Array("msg_1.\(time).".utf8) + body)
        return standardHeaders(time, "v1a,\((signature ?? Data()).base64EncodedString())")
    }

    private static let header = SigningKind(
        name: "a header", configuration: #"{"kind": "header", "header": "x-key"}"#, secret: right, coversBody: false,
        coversTime: false
    ) { _, _, isForged in ["x-key": isForged ? other : right] }

    private static let bearer = SigningKind(
        name: "bearer", configuration: #"{"kind": "bearer"}"#, secret: right, coversBody: false, coversTime: false
    ) { _, _, isForged in ["authorization": "Bearer \(isForged ? other : right)"] }

    private static let basic = SigningKind(
        name: "basic", configuration: #"{"kind": "basic", "user": "dialtone"}"#, secret: right, coversBody: false,
        coversTime: false
    ) { _, _, isForged in
        ["authorization": "Basic \(Data("dialtone:\(isForged ? other : right)".utf8).base64EncodedString())"]
    }

    private static let token = SigningKind(
        name: "a token with the body's hash",
        configuration: """
            {"kind": "jwt", "header": "authorization", "scheme": "Bearer", "algorithms": ["ES256"],
             "jwks": "https://id.example.com/keys", "issuer": "any", "leeway": 0,
             "body_hash": {"claim": "request_body_sha256", "encoding": "base64"}}
            """, secret: right, coversBody: true, coversTime: true
    ) { body, time, isForged in
        let hash = Data(SHA256.hash(data: body)).base64EncodedString()
        let token = TestToken(claims: [
            "iat": "\(time)", "exp": "\(time + 300)", "request_body_sha256": "\"\(hash)\"",
        ])
        return ["authorization": "Bearer \(isForged ? token.signed(by: P256.Signing.PrivateKey()) : token.signed())"]
    }

    private static let sharedToken = SigningKind(
        name: "a token by a shared secret",
        configuration: """
            {"kind": "jwt", "header": "x-token", "algorithms": ["HS256"], "leeway": 0,
             "body_hash": {"claim": "body", "encoding": "hex"}}
            """, secret: right, coversBody: true, coversTime: true
    ) { body, time, isForged in
        let hash = hexadecimal(SHA256.hash(data: body))
        let token = TestToken(
            algorithm: "HS256",
            claims: ["iat": "\(time)", "exp": "\(time + 300)", "body": "\"\(hash)\""])
        return ["x-token": token.signed(by: isForged ? other : right)]
    }
}
