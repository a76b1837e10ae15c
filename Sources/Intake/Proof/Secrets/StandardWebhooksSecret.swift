// SPDX-License-Identifier: Apache-2.0
// Reads the secrets of Standard Webhooks in the forms in which senders show them.

package import Crypto
import Foundation
package import Model

enum StandardWebhooksSecret {
    enum Key: Sendable {
        case symmetric(SymmetricKey)
        case asymmetric(Curve25519.Signing.PublicKey)
    }

    /// Returns the keys of a secret as it is written: base64 after an optional `whsec_`, or a public key after `whpk_`.
    /// Supabase writes the scheme before them (`v1,whsec_…`) and joins several by `|`.
    static func keys(in text: String) throws(InvalidValue) -> [Key] {
        var keys: [Key] = []
        for part in text.split(separator: "|", omittingEmptySubsequences: false) {
            keys.append(try Self.key(String(part)))
        }
        guard keys.count <= ProofSecret.maximumCount else {
            throw InvalidValue("secret", "must hold at most \(ProofSecret.maximumCount) secrets")
        }
        return keys
    }

    private static func key(_ written: String) throws(InvalidValue) -> Key {
        guard let publicText = Self.rest(of: written, after: ["whpk_", "v1a,whpk_"]) else {
            return .symmetric(try Self.symmetric(written))
        }
        guard let bytes = Self.bytes(publicText),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { throw InvalidValue("secret", "must be whpk_ and base64 of the 32 bytes of an Ed25519 key") }
        return .asymmetric(key)
    }

    static func symmetric(_ written: String) throws(InvalidValue) -> SymmetricKey {
        if Self.rest(of: written, after: ["whsk_", "v1a,whsk_"]) != nil {
            throw InvalidValue("secret", "is the sender's private key (whsk_); the public one is needed (whpk_)")
        }
        guard let bytes = Self.bytes(Self.rest(of: written, after: ["whsec_", "v1,whsec_"]) ?? written),
            bytes.count >= 16
        else { throw InvalidValue("secret", "must be whsec_ and base64 of at least 16 bytes") }
        return SymmetricKey(data: bytes)
    }

    private static func rest(of text: String, after prefixes: [String]) -> String? {
        prefixes.first { text.hasPrefix($0) }.map { String(text.dropFirst($0.count)) }
    }

    /// With or without padding.
    private static func bytes(_ base64: String) -> Data? {
        var text = base64
        while text.utf8.count % 4 != 0 { text += "=" }
        return Data(base64Encoded: text)
    }
}

extension StandardWebhooksProof {
    /// Takes the secrets in the form of Standard Webhooks. Those of another proof of the source are passed over.
    init(of secrets: [ProofSecret], tolerance: Int64) {
        var symmetric: [InForce<Secret<SymmetricKey>>] = []
        var asymmetric: [InForce<Curve25519.Signing.PublicKey>] = []
        for secret in secrets {
            for key in (try? StandardWebhooksSecret.keys(in: secret.text.reveal())) ?? [] {
                switch key {
                case .symmetric(let key): symmetric.append(InForce(Secret(key), of: secret))
                case .asymmetric(let key): asymmetric.append(InForce(key, of: secret))
                }
            }
        }
        self.init(secrets: symmetric, publicKeys: asymmetric, tolerance: tolerance)
    }

    /// Returns the key of a secret as it is written: base64 after an optional `whsec_`, with or without padding.
    package static func key(from secret: String) throws(InvalidValue) -> SymmetricKey {
        try StandardWebhooksSecret.symmetric(secret)
    }
}
