// SPDX-License-Identifier: Apache-2.0
// Makes tokens as a sender does, and as no sender does, for tests.

import Crypto
import Foundation

struct TestToken: Sendable {
    /// The header's members, each value as JSON.
    var header: [String: String]
    /// The claims, each value as JSON.
    var claims: [String: String]
    /// The header's text in place of its members.
    var writtenHeader: String?
    /// The text of the claims in place of their members.
    var writtenClaims: String?

    static let key = P256.Signing.PrivateKey()
    /// The set with the public half of `key`, under the id `k1`.
    static let keySet = Self.keySet(of: Self.key.publicKey)

    init(algorithm: String = "ES256", keyID: String? = "k1", claims: [String: String]) {
        self.header = ["alg": "\"\(algorithm)\"", "typ": "\"JWT\""]
        if let keyID { self.header["kid"] = "\"\(keyID)\"" }
        self.claims = claims
    }

    static func keySet(of key: P256.Signing.PublicKey, more: String = "") -> String {
        let (x, y) = (key.rawRepresentation.prefix(32), key.rawRepresentation.suffix(32))
        return """
            {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1",
                       "x": "\(Self.text(x))", "y": "\(Self.text(y))"\(more)}]}
            """
    }

    /// Base64url without padding.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func object(_ members: [String: String]) -> String {
        "{\(members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}"
    }

    /// Header and claims with their point.
    var unsigned: String {
        let header = self.writtenHeader ?? Self.object(self.header)
        return "\(Self.text(header.utf8)).\(Self.text((self.writtenClaims ?? Self.object(self.claims)).utf8))"
    }

    func signed(by key: P256.Signing.PrivateKey = TestToken.key) -> String {
        let signature = try? key.signature(for: Array(self.unsigned.utf8))
        return "\(self.unsigned).\(Self.text(signature?.rawRepresentation ?? Data()))"
    }

    /// Signs as HS256 does.
    func signed(by secret: String) -> String {
        let key = SymmetricKey(data: Data(secret.utf8))
        let code = HMAC<SHA256>.authenticationCode(for: Array(self.unsigned.utf8), using: key)
        return "\(self.unsigned).\(Self.text(code))"
    }
}
