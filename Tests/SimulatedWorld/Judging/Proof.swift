// SPDX-License-Identifier: Apache-2.0
// The judges' knowledge about one credential's name: whether another create for it would be proven safe.

/// The empty answers for one name since a create was sent for it whose outcome nobody knows.
struct Proof {
    var empties = 0
    /// Whether such a create is still without an outcome.
    var isOpen = false
}
