// SPDX-License-Identifier: Apache-2.0
// The error of a server that cannot have its address, with the system's reason.

/// Thrown when a server cannot listen on its address.
package struct CannotListen: Error, Sendable, CustomStringConvertible {
    package let address: String
    /// The system's words, such as "Address already in use".
    package let reason: String

    package init(_ address: String, _ reason: String) {
        self.address = address
        self.reason = reason
    }

    package var description: String { "cannot listen on \(self.address): \(self.reason)" }
}
