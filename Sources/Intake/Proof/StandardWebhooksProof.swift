// SPDX-License-Identifier: Apache-2.0
// Checks the Standard Webhooks signature of a delivery, over the raw bytes and before anything is parsed.

package import Crypto
package import Foundation
package import Model

/// The symmetric scheme `v1` of Standard Webhooks 1.0.0 (standard-webhooks.md, "Signature scheme"): HMAC-SHA256 over
/// `id.timestamp.body`, in base64. The header may hold several signatures, also of other schemes, and the source may
/// have several secrets. One match is enough.
package struct StandardWebhooksProof: Sendable {
    /// Seconds by which a timestamp may be off in either direction: the value of the reference libraries.
    static let tolerance: Int64 = 300
    /// Signatures of `v1` that are tried at most, so that a long header costs no time. Those of other schemes are not
    /// counted.
    static let maximumSignatures = 8

    private let secrets: [Secret<SymmetricKey>]

    package init(secrets: [Secret<SymmetricKey>]) { self.secrets = secrets }

    /// Checks the proof and returns the delivery's id. `header` returns all values of a header by its lower-case name.
    /// The older `svix-` names are read when the standard ones are absent.
    package func verify(
        header: (String) -> [String], body: some Sequence<UInt8>, now: Date
    ) throws(ProofFailure) -> String {
        let id = try Self.single("id", header)
        let stamp = try Self.single("timestamp", header)
        let signatures = try Self.single("signature", header)
        guard (1...255).contains(id.utf8.count), id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ProofFailure("webhook-id must be 1 to 255 printable ASCII characters")
        }
        // Digits only: the reference library's float() also takes "1e9" and " 1". With those, one signature would fit
        // several ways to part id, time and body.
        guard (1...12).contains(stamp.utf8.count), stamp.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let seconds = Int64(stamp)
        else { throw ProofFailure("webhook-timestamp must be Unix seconds, digits only") }
        let age = Int64(now.timeIntervalSince1970.rounded(.down)) - seconds
        guard age <= Self.tolerance else { throw ProofFailure("webhook-timestamp is more than 300 seconds old") }
        guard age >= -Self.tolerance else { throw ProofFailure("webhook-timestamp is more than 300 seconds ahead") }
        let candidates = Self.signatures(in: signatures)
        guard !candidates.isEmpty else { throw ProofFailure("webhook-signature holds no v1 signature") }
        guard !self.secrets.isEmpty else { throw ProofFailure("the source has no secret in force") }
        var message = Array("\(id).\(stamp).".utf8)
        message.append(contentsOf: body)
        guard self.matches(message, candidates) else {
            throw ProofFailure("webhook-signature does not match the body under any secret of this source")
        }
        return id
    }

    /// Tries every secret with every candidate, without an early end. Comparing an authentication code takes constant
    /// time.
    private func matches(_ message: [UInt8], _ candidates: [Data]) -> Bool {
        var isMatch = false
        for secret in self.secrets {
            let code = HMAC<SHA256>.authenticationCode(for: message, using: secret.reveal())
            for candidate in candidates where code == candidate { isMatch = true }
        }
        return isMatch
    }

    /// Returns the signatures of the scheme `v1` in a header. Entries are `<scheme>,<base64>`. Between them stand blanks
    /// (the standard), commas, or both (Supabase). Any other entry is passed over, as the reference libraries do.
    private static func signatures(in header: String) -> [Data] {
        var found: [Data] = []
        var rest = header.utf8[...]
        while found.count < Self.maximumSignatures {
            rest = rest.drop(while: Self.isSeparator)
            let scheme = rest.prefix { !Self.isSeparator($0) }
            guard !scheme.isEmpty else { break }
            rest = rest[scheme.endIndex...]
            guard scheme.elementsEqual("v1".utf8), rest.first == UInt8(ascii: ",") else { continue }
            let text = rest.dropFirst().prefix { !Self.isSeparator($0) }
            rest = rest[text.endIndex...]
            if text.count == 44, let bytes = Data(base64Encoded: Data(text)), bytes.count == 32 { found.append(bytes) }
        }
        return found
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { Self.isBlank(byte) || byte == UInt8(ascii: ",") }

    /// RFC 9110 section 5.6.3 (OWS): a space or a tab.
    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// Returns the one value of a header, without the blanks around it.
    private static func single(_ name: String, _ header: (String) -> [String]) throws(ProofFailure) -> String {
        var values = header("webhook-\(name)")
        if values.isEmpty { values = header("svix-\(name)") }
        guard let value = values.first else { throw ProofFailure("webhook-\(name) is missing") }
        guard values.count == 1 else { throw ProofFailure("webhook-\(name) is there more than once") }
        guard value.utf8.first.map(Self.isBlank) == true || value.utf8.last.map(Self.isBlank) == true else {
            return value
        }
        return value.trimmingCharacters(in: CharacterSet(charactersIn: " \t"))
    }

    /// Returns the key of a secret as it is written: base64 after an optional `whsec_`, with or without padding.
    package static func key(from secret: String) throws(InvalidValue) -> SymmetricKey {
        var text = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
        while text.utf8.count % 4 != 0 { text += "=" }
        guard let bytes = Data(base64Encoded: text), bytes.count >= 16 else {
            throw InvalidValue("secret", "must be whsec_ and base64 of at least 16 bytes")
        }
        return SymmetricKey(data: bytes)
    }

    /// Signs as a sender does, for `dialtone send`, the demo and tests.
    package static func sign(id: String, timestamp: Int64, body: [UInt8], key: SymmetricKey) -> String {
        let message = Array("\(id).\(timestamp).".utf8) + body
        return "v1,\(Data(HMAC<SHA256>.authenticationCode(for: message, using: key)).base64EncodedString())"
    }
}
