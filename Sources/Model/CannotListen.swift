// SPDX-License-Identifier: Apache-2.0
// The error of a server that cannot have its address, with the system's reason.

/// Thrown when a server cannot listen on its address.
package struct CannotListen: Error, Sendable, CustomStringConvertible {
    package let address: String
    /// The system's words, such as "Address already in use".
    package let reason: String

    /// `setting` is the setting's name, where the address is not the main one.
    package init(host: String, port: Int, setting: String? = nil, _ reason: String) {
        let host = host.contains(":") ? "[\(host)]" : host
        self.address = "\(host):\(port)" + (setting.map { " (\($0))" } ?? "")
        self.reason = reason
    }

    package var description: String { "cannot listen on \(self.address): \(self.reason)" }
}
