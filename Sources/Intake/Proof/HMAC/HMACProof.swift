// SPDX-License-Identifier: Apache-2.0
// Checks a signature with a shared secret in the form that a source's configuration describes.

import Crypto
import Foundation
import Model

struct HMACProof: Sendable {
    private let terms: HMACTerms
    private let keys: [InForce<Secret<SymmetricKey>>]

    init(_ terms: HMACTerms, secrets: [ProofSecret]) {
        self.terms = terms
        self.keys = secrets.map { secret in
            InForce(secret.text.map { SymmetricKey(data: Data($0.utf8)) }, of: secret)
        }
    }

    func prove(_ headers: Headers, _ body: [UInt8], _ now: Date) throws(ProofFailure) -> Proven {
        let shown = try ShownSignatures(self.terms, headers)
        try self.requireUntimed(body)
        let id = try self.id(headers)
        let (time, untimely) = try self.time(shown, headers, now)
        let match: Match
        do { match = try self.match(shown, time, id, headers, body, now) } catch { throw untimely?.failure ?? error }
        if let untimely { throw untimely.onlyFailure }
        return Proven(secretID: match.id, deliveryID: id)
    }

    private func match(
        _ shown: ShownSignatures, _ time: String?, _ id: String?, _ headers: Headers, _ body: [UInt8], _ now: Date
    ) throws(ProofFailure) -> Match {
        let keys = self.keys.filter { $0.isInForce(at: now) }
        guard !keys.isEmpty else { throw ProofFailure(.noSecret, "the source has no secret in force") }
        let pieces = try self.pieces(time: time, id: id, headers, body)
        let match =
            switch self.terms.hash {
            case .sha256: Self.match(HMAC<SHA256>.self, keys, pieces, shown.signatures)
            case .sha512: Self.match(HMAC<SHA512>.self, keys, pieces, shown.signatures)
            }
        guard let match else {
            throw ProofFailure(.signature, "\(shown.header) does not match the body under any secret of this source")
        }
        return match
    }

    private func id(_ headers: Headers) throws(ProofFailure) -> String? {
        guard let header = self.terms.id else { return nil }
        let id = try HeaderValue.single(header, headers)
        guard id.utf8.count <= 255, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ProofFailure(.malformed, "\(header) must be 1 to 255 printable ASCII characters")
        }
        return id
    }

    /// Returns the time as the sender has written it, and whether it is too far from `now`.
    private func time(
        _ shown: ShownSignatures, _ headers: Headers, _ now: Date
    ) throws(ProofFailure) -> (text: String?, untimely: Untimely?) {
        guard let terms = self.terms.timestamp else { return (nil, nil) }
        let (text, name): (String, String)
        switch terms.place {
        case .key(let key):
            guard let time = shown.time else { throw ProofFailure(.missing, "\(shown.header) holds no \(key)") }
            (text, name) = (time, "\(key) of \(shown.header)")
        case .header(let header): (text, name) = (try HeaderValue.single(header, headers), header)
        }
        let untimely = try SentTime.untimely(
            text, in: terms.unit, tolerance: terms.tolerance, ahead: terms.ahead, called: name, now: now)
        return (text, untimely)
    }

    /// The signed bytes, piece by piece, so that the body is not copied.
    private func pieces(
        time: String?, id: String?, _ headers: Headers, _ body: [UInt8]
    ) throws(ProofFailure) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        for (place, piece) in self.terms.content.pieces.enumerated() {
            switch piece {
            case .body: pieces.append(body)
            case .text(let bytes): pieces.append(bytes)
            case .timestamp: pieces.append(Array((time ?? "").utf8))
            case .id: pieces.append(try self.value(id ?? "", of: self.terms.id ?? "", at: place))
            case .header(let name):
                pieces.append(try self.value(try HeaderValue.single(name, headers), of: name, at: place))
            }
        }
        return pieces
    }

    /// Returns the bytes of a header's value, as far as the content can be parted in one way with it.
    private func value(_ text: String, of header: String, at place: Int) throws(ProofFailure) -> [UInt8] {
        let value = Array(text.utf8)
        guard self.terms.content.canPart(value, at: place) else {
            throw ProofFailure(.malformed, "\(header) must not hold the text beside it in what is signed")
        }
        return value
    }

    /// Refuses what another proof of the source may have signed together with a time.
    private func requireUntimed(_ body: [UInt8]) throws(ProofFailure) {
        if self.terms.timedTexts.isEmpty { return }
        let rest = body.drop(while: SentTime.isDigit)
        guard rest.count == body.count || !self.terms.timedTexts.contains(where: { rest.starts(with: $0) }) else {
            throw ProofFailure(.malformed, "the body begins as what another proof of the source signs with a time")
        }
    }

    /// Tries every secret with every signature, without an early end. Comparing an authentication code takes constant
    /// time.
    private static func match<Hash: HashFunction>(
        _: HMAC<Hash>.Type, _ keys: [InForce<Secret<SymmetricKey>>], _ pieces: [[UInt8]], _ signatures: [[UInt8]]
    ) -> Match? {
        var match: Match?
        for key in keys {
            var code = HMAC<Hash>(key: key.value.reveal())
            for piece in pieces { code.update(data: piece) }
            let right = code.finalize()
            for signature in signatures where right == signature { match = Match(id: key.id) }
        }
        return match
    }
}
