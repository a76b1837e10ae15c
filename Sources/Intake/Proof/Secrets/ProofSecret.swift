// SPDX-License-Identifier: Apache-2.0
// A secret of a source as its proofs get it, and for how long it counts.

package import Foundation
package import Model

/// One of up to four secrets of a source. All its proofs that need one try all of them.
package struct ProofSecret: Sendable {
    package let id: UUID
    package let text: Secret<String>
    /// From then on it no longer counts. Nil: it counts until it is taken away.
    package let notAfter: Date?

    package static let maximumCount = 4

    package init(id: UUID, text: Secret<String>, notAfter: Date? = nil) {
        self.id = id
        self.text = text
        self.notAfter = notAfter
    }
}

/// What a proof made of a secret when the source was loaded: a key, or a digest to compare with.
struct InForce<Value: Sendable>: Sendable {
    let id: UUID?
    let value: Value
    private let notAfter: Date?

    init(_ value: Value) {
        self.id = nil
        self.value = value
        self.notAfter = nil
    }

    init(_ value: Value, of secret: ProofSecret) {
        self.id = secret.id
        self.value = value
        self.notAfter = secret.notAfter
    }

    func isInForce(at now: Date) -> Bool {
        guard let notAfter = self.notAfter else { return true }
        return now < notAfter
    }
}

/// A secret has matched. It is a type of its own because a secret may have no id.
struct Match: Sendable {
    let id: UUID?
}
