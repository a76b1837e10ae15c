// SPDX-License-Identifier: Apache-2.0
// Whether one call may go now.

/// The result of a request for one call.
package enum Permission: Sendable, Equatable {
    /// The call may go now, and is counted.
    case granted
    /// Nothing may be sent for this long.
    case wait(Duration)
}
