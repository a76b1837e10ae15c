// SPDX-License-Identifier: Apache-2.0
// What a token whose signature holds must say, before it counts for a delivery.

import Crypto
import Foundation
import Model

struct TokenClaims {
    private let claims: JSONValue

    /// Of the payload's bytes, which must be strict JSON: a claim that is there twice would be read in two ways.
    init(_ bytes: [UInt8]) throws(ProofFailure) {
        guard let claims = try? JSONValue(parsing: bytes), case .object = claims else {
            throw ProofFailure(.malformed, "the token's claims are no strict JSON object")
        }
        self.claims = claims
    }

    /// Throws the first claim that is wrong. Texts are compared byte by byte.
    func check(_ terms: TokenTerms, body: [UInt8], now: Date) throws(ProofFailure) {
        let untimely = try self.untimely(terms, now)
        do { try self.checkOthers(terms, body) } catch { throw untimely?.failure ?? error }
        if let untimely { throw untimely.onlyFailure }
    }

    private func checkOthers(_ terms: TokenTerms, _ body: [UInt8]) throws(ProofFailure) {
        if let issuer = terms.issuer, self.text("iss") != Array(issuer.utf8) {
            throw ProofFailure(.issuer, "iss of the token is not the source's issuer")
        }
        if let audience = terms.audience, !self.audiences.contains(Array(audience.utf8)) {
            throw ProofFailure(.audience, "aud of the token does not hold the source's audience")
        }
        for name in terms.required {
            guard let value = self.claims[name], value != .null, value != .string("") else {
                throw ProofFailure(.claim, "the token holds no \(name)")
            }
        }
        for claim in terms.equal where self.text(claim.name) != Array(claim.value.utf8) {
            throw ProofFailure(.claim, "\(claim.name) of the token has another value than the source's")
        }
        if let hash = terms.bodyHash { try self.checkHash(hash, of: body) }
    }

    /// RFC 7519 sections 4.1.4 to 4.1.6. The sender's own time is `iat`, and a start that lies ahead.
    private func untimely(_ terms: TokenTerms, _ now: Date) throws(ProofFailure) -> Untimely? {
        let (now, leeway) = (now.timeIntervalSince1970, TimeInterval(terms.leeway))
        if let end = try self.time("exp") {
            guard now < end + leeway else {
                let made = try? self.time("iat")
                return Untimely(
                    failure: ProofFailure(.expired, "the token has expired (exp)"),
                    millisecondsApart: made.map { Int64(($0 - now) * 1000) })
            }
        } else if terms.needsExpiry {
            throw ProofFailure(.claim, "the token holds no exp")
        }
        for name in ["nbf", "iat"] {
            guard let start = try self.time(name), start > now + leeway else { continue }
            return Untimely(
                failure: ProofFailure(.ahead, "\(name) of the token lies ahead"),
                millisecondsApart: Int64((start - now) * 1000))
        }
        return nil
    }

    /// 9999-12-31T23:59:59Z. A later one is in another unit.
    private static let latest: TimeInterval = 253_402_300_799

    /// Returns a NumericDate, in seconds since 1970 and perhaps with a fraction.
    private func time(_ name: String) throws(ProofFailure) -> TimeInterval? {
        guard let value = self.claims[name], value != .null else { return nil }
        guard case .number(let text) = value, let time = TimeInterval(text), (0...Self.latest).contains(time) else {
            throw ProofFailure(.malformed, "\(name) of the token is no time in seconds")
        }
        return time
    }

    private func text(_ name: String) -> [UInt8]? { self.claims[name]?.string.map { Array($0.utf8) } }

    /// One text, or a list of texts.
    private var audiences: [[UInt8]] {
        guard case .array(let elements) = self.claims["aud"] else { return self.text("aud").map { [$0] } ?? [] }
        return elements.compactMap { $0.string.map { Array($0.utf8) } }
    }

    /// Without this claim the token would prove the sender of any body: a user's access token is signed by the same
    /// keys.
    private func checkHash(_ terms: TokenTerms.BodyHash, of body: [UInt8]) throws(ProofFailure) {
        guard let text = self.text(terms.claim) else {
            throw ProofFailure(.bodyHash, "the token holds no \(terms.claim): it may be a user's own")
        }
        let told =
            switch terms.encoding {
            case .hex: ByteText.hexadecimal(text)
            case .base64: ByteText.base64(text, .standard) ?? ByteText.base64(text, .url)
            }
        guard let told, told.count == SHA256.byteCount else {
            throw ProofFailure(.bodyHash, "\(terms.claim) of the token is no SHA-256 in \(terms.encoding.rawValue)")
        }
        guard SHA256.hash(data: body) == told else {
            throw ProofFailure(.bodyHash, "\(terms.claim) of the token is that of another body")
        }
    }
}
