// SPDX-License-Identifier: Apache-2.0
// The error for a delivery whose sender is not proven.

/// Says why a proof failed. It names a header or a claim, and never a value or what was expected.
package struct ProofFailure: Error, Equatable {
    /// The closed list of reasons, from "nothing was shown" to "almost proven". Refusals are counted by them.
    package enum Kind: String, Sendable, CaseIterable {
        /// A header or a token that the proof needs is not there.
        case missing
        /// A header or a part of one is there more than once.
        case repeated
        /// What is there cannot be read.
        case malformed
        /// The token's algorithm is not one of the source's.
        case algorithm
        /// The source has no secret in force.
        case noSecret = "no_secret"
        /// No key of the source fits the token. A newer one of the sender may.
        case key
        /// A header that holds a secret holds another one.
        case credential
        case signature
        case expired
        /// Made later than now: a clock is wrong, or somebody wants it to count for long.
        case ahead
        case issuer
        case audience
        /// A claim that must be there is not, or has another value.
        case claim
        /// The token speaks of another body, or of none.
        case bodyHash = "body_hash"
        /// The sender's keys could not be fetched. This is no forgery: the sender must be told to come again.
        case keysUnavailable = "keys_unavailable"
    }

    package let kind: Kind
    package let reason: String
    /// Whether this proof, or another of the same source, failed for want of a key.
    let lacksKeys: Bool
    /// The sender's time minus ours in milliseconds, where the proof held but for the time. Nil: it did not, or the
    /// sender's time is not known.
    package private(set) var skewMilliseconds: Int64?

    init(_ kind: Kind, _ reason: String) {
        self.init(kind, reason, lacksKeys: kind == .key || kind == .keysUnavailable)
    }

    private init(_ kind: Kind, _ reason: String, lacksKeys: Bool) {
        self.kind = kind
        self.reason = reason
        self.lacksKeys = lacksKeys
    }

    /// Returns the same failure of a proof that held but for the time.
    func ofClocks(apart milliseconds: Int64?) -> ProofFailure {
        var failure = self
        failure.skewMilliseconds = milliseconds
        return failure
    }

    /// How far the proof came.
    private var progress: Int { Kind.allCases.firstIndex(of: self.kind) ?? 0 }

    /// Returns the failure of two proofs: the one that came farther is told. That a key is wanting stays known.
    func joined(with other: ProofFailure) -> ProofFailure {
        let farther = self.progress < other.progress ? other : self
        let lacksKeys = self.lacksKeys || other.lacksKeys
        return ProofFailure(farther.kind, farther.reason, lacksKeys: lacksKeys)
            .ofClocks(apart: farther.skewMilliseconds)
    }
}
