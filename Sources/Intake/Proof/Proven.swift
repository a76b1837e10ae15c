// SPDX-License-Identifier: Apache-2.0
// What a proof that holds says of its delivery.

package import Foundation

package struct Proven: Sendable, Equatable {
    /// The secret that matched. Nil when a public key did.
    package var secretID: UUID?
    /// The delivery's id, where the proof covers one. An id that no proof covers is not here: anybody may change it.
    package var deliveryID: String?
    /// The claims of a token that was (part of) the body, as JSON. They are what the sender says: the body around them
    /// is not proven.
    package var claims: [UInt8]?
}
