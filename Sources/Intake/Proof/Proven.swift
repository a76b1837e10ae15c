// SPDX-License-Identifier: Apache-2.0
// What a proof that holds says of its delivery.

package import Foundation

package struct Proven: Sendable, Equatable {
    /// The secret that matched. Nil when a public key did.
    package var secretID: UUID?
    /// The delivery's id, where the proof covers one. An id that no proof covers is not here: anybody may change it.
    ///
    /// Nil means that the proof binds no id. The caller must then derive the ledger's id from the hash of the body.
    /// An id from a header that no proof covers would let the same delivery count again and again. So would a random
    /// one, where the proof covers no time: an HMAC without one, a token without `exp`, a secret in a header.
    package var deliveryID: String?
    /// The claims of a token that was (part of) the body, as JSON. They are what the sender says: the body around them
    /// is not proven.
    package var claims: [UInt8]?
}
