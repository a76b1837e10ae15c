// SPDX-License-Identifier: Apache-2.0
// Whether one create may go now.

/// The result of a request for one create.
package enum Permission: Sendable, Equatable {
    /// The create may go now, and is counted.
    case granted
    /// Nothing may be sent for this long.
    case wait(Duration)
}
