// SPDX-License-Identifier: Apache-2.0
// Checks a JSON Web Token of the sender by the algorithms and keys of its source's configuration.

import Crypto
import Foundation
import Model

/// Written on swift-crypto: the check stays synchronous, and its parser refuses what a lenient one lets pass, such as
/// padding, a key twice in an object and numbers in another unit.
struct TokenProof: Sendable {
    private let terms: TokenTerms
    /// Those of the configuration or of the secrets. Published keys are in `cache`.
    private let keys: [InForce<VerificationKey>]
    let cache: JWKSCache?

    /// Keys of one id that are tried at most.
    private static let maximumKeys = 4
    /// Keys that are tried at most for a token without `kid`.
    private static let maximumUnnamedKeys = 8

    init(_ terms: TokenTerms, secrets: [ProofSecret], cache: JWKSCache?) {
        self.terms = terms
        self.cache = cache
        self.keys =
            switch terms.keys {
            case .secrets:
                secrets.map { InForce(.hmac($0.text.map { SymmetricKey(data: Data($0.utf8)) }), of: $0) }
            case .given(let key): [InForce(key.value)]
            case .published: []
            }
    }

    func prove(_ headers: Headers, _ body: [UInt8], _ now: Date) throws(ProofFailure) -> Proven {
        let place = self.terms.place
        let token = try CompactToken(try place.token(headers, body), at: place.name)
        guard let algorithm = self.terms.algorithms.first(where: { $0.rawValue == token.algorithm }) else {
            throw ProofFailure(.algorithm, "the token in \(place.name) is not signed by an algorithm of this source")
        }
        let keys = try self.keys(for: token, algorithm, now)
        let signature = try token.signature()
        guard let key = keys.first(where: { $0.value.isValid(signature, of: token.signed, by: algorithm) }) else {
            // Without kid nothing tells a forged token from one by a newer key.
            if let cache = self.cache, token.keyID == nil { throw Self.missingKey(cache.known(at: now)) }
            throw ProofFailure(.signature, "the token's signature in \(place.name) is not by a key of this source")
        }
        let claims = try token.claims()
        try TokenClaims(claims).check(self.terms, body: body, now: now)
        return Proven(secretID: key.id, claims: place.isInBody ? claims : nil)
    }

    private func keys(
        for token: CompactToken, _ algorithm: TokenAlgorithm, _ now: Date
    ) throws(ProofFailure) -> [InForce<VerificationKey>] {
        guard let cache = self.cache else {
            let keys = self.keys.filter { $0.isInForce(at: now) }
            guard !keys.isEmpty else { throw ProofFailure(.noSecret, "the source has no secret in force") }
            return keys
        }
        let known = cache.known(at: now)
        let limit = token.keyID == nil ? Self.maximumUnnamedKeys : Self.maximumKeys
        let keys = known.keys?.keys(named: token.keyID, for: algorithm).prefix(limit).map { InForce($0) } ?? []
        guard !keys.isEmpty else { throw Self.missingKey(known) }
        return keys
    }

    private static func missingKey(_ known: JWKSCache.Known) -> ProofFailure {
        guard known.keys != nil else {
            return ProofFailure(.keysUnavailable, "the sender's keys could not be fetched, or not for a day")
        }
        guard !known.isOutdated else {
            return ProofFailure(.keysUnavailable, "the sender may have newer keys, which may not be fetched yet")
        }
        return ProofFailure(.key, "the sender publishes no key that fits kid and alg of the token")
    }
}
