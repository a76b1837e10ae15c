// SPDX-License-Identifier: Apache-2.0
// What an operator is shown of an installation before confirming it, and why a confirmation is refused.

package import Foundation

/// This installation, and what waits until an operator says what it is.
package struct InstallationState: Sendable {
    package let id: UUID
    /// `first`, `restart`, `reload`, `failover`, `restore` or `unknown`; nil before any worker has run.
    package let change: String?
    /// Whether some tenants are not seen since the change: their creates look first.
    package let looksFirst: Bool
    /// Whether nothing is deleted at the provider.
    package let isStopped: Bool
}

package enum InstallationError: Error, CustomStringConvertible {
    case workersRun

    package var description: String {
        "a worker runs on this database; stop all of them first, for what they have in hand is the other installation's"
    }
}
