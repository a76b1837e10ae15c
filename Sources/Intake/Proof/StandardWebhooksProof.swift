// SPDX-License-Identifier: Apache-2.0
// Checks the Standard Webhooks signature of a delivery, over the raw bytes and before anything is parsed.

package import Crypto
package import Foundation
package import Model

/// The schemes of Standard Webhooks 1.0.0 (standard-webhooks.md, "Signature scheme") over `id.timestamp.body`: `v1` is
/// HMAC-SHA256 and `v1a` is Ed25519, both in base64. The header may hold several signatures, also of other schemes, and
/// the source may have several secrets. One match is enough.
package struct StandardWebhooksProof: Sendable {
    /// Seconds by which a timestamp may be off in either direction: the value of the reference libraries.
    package static let tolerance: Int64 = 300
    /// Signatures of `v1` that are tried at most, so that a long header costs no time. Those of other schemes are not
    /// counted.
    static let maximumSignatures = 8
    /// The same of `v1a`. Each costs a hundred times as much.
    static let maximumPublicSignatures = 2

    private let secrets: [InForce<Secret<SymmetricKey>>]
    private let publicKeys: [InForce<Curve25519.Signing.PublicKey>]
    private let tolerance: Int64

    package init(secrets: [Secret<SymmetricKey>]) {
        self.init(secrets: secrets.map { InForce($0) }, publicKeys: [])
    }

    /// `tolerance` is in seconds.
    init(
        secrets: [InForce<Secret<SymmetricKey>>], publicKeys: [InForce<Curve25519.Signing.PublicKey>],
        tolerance: Int64 = StandardWebhooksProof.tolerance
    ) {
        self.secrets = secrets
        self.publicKeys = publicKeys
        self.tolerance = tolerance
    }

    /// Checks the proof and returns the delivery's id.
    package func verify(header: Headers, body: some Sequence<UInt8>, now: Date) throws(ProofFailure) -> String {
        try self.match(header, body, now).id
    }

    /// Checks the proof as `verify` does, and says which secret matched.
    func prove(_ header: Headers, _ body: [UInt8], _ now: Date) throws(ProofFailure) -> Proven {
        let (id, secretID) = try self.match(header, body, now)
        return Proven(secretID: secretID, deliveryID: id)
    }

    private func match(
        _ header: Headers, _ body: some Sequence<UInt8>, _ now: Date
    ) throws(ProofFailure) -> (id: String, secretID: UUID?) {
        let shown = try StandardHeaders(header)
        let (id, stamp) = (shown.id.value, shown.timestamp.value)
        guard (1...255).contains(id.utf8.count), id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ProofFailure(.malformed, "\(shown.id.name) must be 1 to 255 printable ASCII characters")
        }
        let untimely = try SentTime.untimely(
            stamp, in: .seconds, tolerance: self.tolerance, ahead: self.tolerance, called: shown.timestamp.name,
            now: now)
        let match: Match
        do { match = try self.match(shown, body, now) } catch { throw untimely?.failure ?? error }
        if let untimely { throw untimely.onlyFailure }
        return (id, match.id)
    }

    private func match(
        _ shown: StandardHeaders, _ body: some Sequence<UInt8>, _ now: Date
    ) throws(ProofFailure) -> Match {
        let secrets = self.secrets.filter { $0.isInForce(at: now) }
        let publicKeys = self.publicKeys.filter { $0.isInForce(at: now) }
        guard !secrets.isEmpty || !publicKeys.isEmpty else {
            throw ProofFailure(.noSecret, "the source has no secret in force")
        }
        let candidates = try Self.candidates(in: shown.signature, secrets, publicKeys)
        var message = Array("\(shown.id.value).\(shown.timestamp.value).".utf8)
        message.append(contentsOf: body)
        guard let match = Self.match(message, candidates, secrets, publicKeys) else {
            throw ProofFailure(
                .signature, "\(shown.signature.name) does not match the body under any secret of this source")
        }
        return match
    }

    private struct Candidates {
        var v1: [[UInt8]] = []
        var v1a: [[UInt8]] = []
    }

    private static func candidates(
        in header: StandardHeaders.Field, _ secrets: [InForce<Secret<SymmetricKey>>],
        _ publicKeys: [InForce<Curve25519.Signing.PublicKey>]
    ) throws(ProofFailure) -> Candidates {
        var candidates = Candidates()
        if !secrets.isEmpty {
            candidates.v1 = Self.signatures(of: "v1", in: header.value, bytes: 32, limit: Self.maximumSignatures)
        }
        if !publicKeys.isEmpty {
            candidates.v1a = Self.signatures(
                of: "v1a", in: header.value, bytes: 64, limit: Self.maximumPublicSignatures)
        }
        guard candidates.v1.isEmpty && candidates.v1a.isEmpty else { return candidates }
        let scheme = publicKeys.isEmpty ? "v1" : secrets.isEmpty ? "v1a" : "v1 or v1a"
        throw ProofFailure(.malformed, "\(header.name) holds no \(scheme) signature")
    }

    /// Tries every secret with every candidate, without an early end. Comparing an authentication code takes constant
    /// time.
    private static func match(
        _ message: [UInt8], _ candidates: Candidates, _ secrets: [InForce<Secret<SymmetricKey>>],
        _ publicKeys: [InForce<Curve25519.Signing.PublicKey>]
    ) -> Match? {
        var match: Match?
        if !candidates.v1.isEmpty {
            for secret in secrets {
                let code = HMAC<SHA256>.authenticationCode(for: message, using: secret.value.reveal())
                for candidate in candidates.v1 where code == candidate { match = Match(id: secret.id) }
            }
        }
        // A public key tells nothing, so the first match may end it.
        guard match == nil else { return match }
        for candidate in candidates.v1a {
            for key in publicKeys where key.value.isValidSignature(candidate, for: message) {
                return Match(id: key.id)
            }
        }
        return nil
    }

    /// Returns the signatures of a scheme in a header. Entries are `<scheme>,<base64>`. Between them stand blanks (the
    /// standard), commas, or both (Supabase). Any other entry is passed over, as the reference libraries do.
    private static func signatures(of wanted: String, in header: String, bytes: Int, limit: Int) -> [[UInt8]] {
        let letters = (bytes + 2) / 3 * 4
        var found: [[UInt8]] = []
        var rest = header.utf8[...]
        while found.count < limit {
            rest = rest.drop(while: Self.isSeparator)
            let scheme = rest.prefix { !Self.isSeparator($0) }
            guard !scheme.isEmpty else { break }
            rest = rest[scheme.endIndex...]
            guard scheme.elementsEqual(wanted.utf8), rest.first == UInt8(ascii: ",") else { continue }
            let text = rest.dropFirst().prefix { !Self.isSeparator($0) }
            rest = rest[text.endIndex...]
            guard text.count == letters, let signature = ByteText.base64(text, .standard) else { continue }
            if signature.count == bytes { found.append(signature) }
        }
        return found
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        HeaderValue.isBlank(byte) || byte == UInt8(ascii: ",")
    }

    /// Signs as a sender does, for `dialtone send`, the demo and tests.
    package static func sign(id: String, timestamp: Int64, body: [UInt8], key: SymmetricKey) -> String {
        let message = Array("\(id).\(timestamp).".utf8) + body
        return "v1,\(Data(HMAC<SHA256>.authenticationCode(for: message, using: key)).base64EncodedString())"
    }
}
