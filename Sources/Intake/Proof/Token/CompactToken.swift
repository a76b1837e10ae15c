// SPDX-License-Identifier: Apache-2.0
// A JSON Web Token in its compact form, taken apart strictly and before anything of it is believed.

import Model

/// RFC 7515 section 7.1: header, payload and signature in base64url without padding, between two points. A token of
/// five parts is encrypted and not understood here.
///
/// The header's `jku`, `jwk`, `x5u` and `x5c` are not looked at: a token does not choose its key.
struct CompactToken {
    /// What the token says of its algorithm. It is believed only where the configuration permits it.
    let algorithm: String
    let keyID: String?
    /// The bytes that are signed: the first two parts with their point.
    let signed: ArraySlice<UInt8>
    private let payload: ArraySlice<UInt8>
    private let end: ArraySlice<UInt8>
    private let place: String

    /// Of a token in a header, in bytes. One in a body may fill it.
    static let maximumBytesInHeader = 16_384
    private static let maximumHeaderBytes = 4096
    private static let maximumKeyIDBytes = 512

    /// `place` names the token's place in errors.
    init(_ token: [UInt8], at place: String) throws(ProofFailure) {
        let parts = token.split(
            separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty, parts[0].count <= Self.maximumHeaderBytes,
            let header = ByteText.base64(parts[0], .url)
        else { throw ProofFailure(.malformed, "\(place) must hold a token: three parts of base64url") }
        self.place = place
        self.signed = token[..<parts[1].endIndex]
        (self.payload, self.end) = (parts[1], parts[2])
        (self.algorithm, self.keyID) = try Self.header(header, place)
    }

    private static func header(
        _ bytes: [UInt8], _ place: String
    ) throws(ProofFailure) -> (algorithm: String, keyID: String?) {
        var limits = JSONValue.Limits()
        (limits.depth, limits.values) = (8, 64)
        let header: JSONValue
        do { header = try JSONValue(parsing: bytes, limits: limits) } catch {
            throw ProofFailure(.malformed, "the token's header in \(place) is not strict JSON")
        }
        guard let algorithm = header["alg"]?.string else {
            throw ProofFailure(.malformed, "the token in \(place) names no algorithm")
        }
        // RFC 7515 section 4.1.11: what is critical and not understood makes the token invalid. Nothing is understood.
        guard header["crit"] == nil, header["b64"] == nil else {
            throw ProofFailure(.malformed, "the token in \(place) needs extensions (crit, b64)")
        }
        guard let keyID = header["kid"] else { return (algorithm, nil) }
        guard let keyID = keyID.string, keyID.utf8.count <= Self.maximumKeyIDBytes else {
            throw ProofFailure(.malformed, "kid of the token in \(place) must be a text")
        }
        return (algorithm, keyID)
    }

    func signature() throws(ProofFailure) -> [UInt8] {
        guard !self.end.isEmpty, let signature = ByteText.base64(self.end, .url) else {
            throw ProofFailure(.malformed, "the token's signature in \(self.place) must be base64url")
        }
        return signature
    }

    /// Returns the payload's bytes.
    func claims() throws(ProofFailure) -> [UInt8] {
        guard let claims = ByteText.base64(self.payload, .url) else {
            throw ProofFailure(.malformed, "the token's claims in \(self.place) must be base64url")
        }
        return claims
    }
}
