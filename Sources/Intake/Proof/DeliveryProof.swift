// SPDX-License-Identifier: Apache-2.0
// Proves a delivery's sender by the proofs of its source. One that holds is enough.

package import Foundation
package import Model

/// The proofs of one source with its secrets, made when the source is loaded: keys are parsed here and not for each
/// delivery.
package struct DeliveryProof: Sendable {
    private enum Check: Sendable {
        case standardWebhooks(StandardWebhooksProof)
        case hmac(HMACProof)
        case token(TokenProof)
        case header(HeaderProof)
    }

    private let checks: [Check]
    private let caches: [JWKSCache]

    /// `secrets` are four at most. Every proof that takes secrets takes all of them; each must be of use to one.
    /// A public key is no secret: Standard Webhooks alone takes it. `keys` has the published keys of tokens.
    package init(
        _ configuration: ProofConfiguration, secrets: [ProofSecret], keys: JWKSCaches
    ) throws(InvalidValue) {
        guard secrets.count <= ProofSecret.maximumCount else {
            throw InvalidValue("secrets", "must be \(ProofSecret.maximumCount) at most")
        }
        try Self.requireUse(of: secrets, configuration)
        let texts = secrets.filter { PublicKeyForm(in: $0.text.reveal()) == nil }
        if configuration.takesText && texts.isEmpty && !secrets.isEmpty {
            throw InvalidValue("secrets", "must hold one that is no public key: a proof of the source needs it")
        }
        self.checks = configuration.terms.map { Self.check($0, secrets, texts, keys) }
        self.caches = configuration.keyAddresses.map { keys.cache(of: $0) }
    }

    /// `texts` are the secrets that are no public key.
    private static func check(
        _ terms: ProofConfiguration.Terms, _ secrets: [ProofSecret], _ texts: [ProofSecret], _ keys: JWKSCaches
    ) -> Check {
        switch terms {
        case .standardWebhooks(let tolerance):
            return .standardWebhooks(StandardWebhooksProof(of: secrets, tolerance: tolerance))
        case .hmac(let terms): return .hmac(HMACProof(terms, secrets: texts))
        case .header(let terms): return .header(HeaderProof(terms, secrets: texts))
        case .token(let terms):
            guard case .published(let address) = terms.keys else {
                return .token(TokenProof(terms, secrets: texts, cache: nil))
            }
            return .token(TokenProof(terms, secrets: [], cache: keys.cache(of: address)))
        }
    }

    /// An empty secret would let everybody pass. A list of Standard Webhooks counts as its keys, each of which costs
    /// time.
    private static func requireUse(
        of secrets: [ProofSecret], _ configuration: ProofConfiguration
    ) throws(InvalidValue) {
        var keys = 0
        for secret in secrets {
            let text = secret.text.reveal()
            guard !text.isEmpty else { throw InvalidValue("secret", "must not be empty") }
            try configuration.requireUse(of: text)
            keys += (try? StandardWebhooksSecret.keys(in: text).count) ?? 0
        }
        guard !configuration.takesStandardWebhooks || keys <= ProofSecret.maximumCount else {
            throw InvalidValue("secrets", "must hold \(ProofSecret.maximumCount) keys at most, those of lists counted")
        }
    }

    /// Checks a delivery over its bytes as they came. `headers` returns all values of a header by its lower-case name.
    ///
    /// Of several failures the one that came farthest is thrown: a sender uses one of the proofs, and the others miss
    /// their header. It says, too, whether another proof failed for want of a key.
    package func verify(headers: Headers, body: [UInt8], now: Date) throws(ProofFailure) -> Proven {
        var farthest: ProofFailure?
        for check in self.checks {
            do {
                return try Self.prove(check, headers, body, now)
            } catch {
                farthest = farthest?.joined(with: error) ?? error
            }
        }
        throw farthest ?? ProofFailure(.noSecret, "the source has no proof")
    }

    private static func prove(
        _ check: Check, _ headers: Headers, _ body: [UInt8], _ now: Date
    ) throws(ProofFailure) -> Proven {
        switch check {
        case .standardWebhooks(let proof): try proof.prove(headers, body, now)
        case .hmac(let proof): try proof.prove(headers, body, now)
        case .token(let proof): try proof.prove(headers, body, now)
        case .header(let proof): try proof.prove(headers, now)
        }
    }

    // MARK: Published keys

    /// Whether a delivery that failed so may hold after `refreshKeys`. False during the pause between two fetches, so
    /// that forged tokens do not leave the fast path.
    package func mayHoldWithNewKeys(_ failure: ProofFailure, now: Date) -> Bool {
        failure.lacksKeys && self.caches.contains { $0.mayRefresh(at: now) }
    }

    /// Whether published keys are missing or old.
    package func areKeysDue(at now: Date) -> Bool { self.caches.contains { $0.isDue(at: now) } }

    /// Fetches the published keys that may be fetched now, all at once. Returns within seconds.
    ///
    /// Cancelled here: the fetches go on.
    package func refreshKeys(now: Date) async {
        await withTaskGroup(of: Void.self) { group in
            for cache in self.caches { group.addTask { await cache.refresh(now: now) } }
        }
    }
}
