// SPDX-License-Identifier: Apache-2.0
// The judges' knowledge about one credential's name: whether another create for it would be proven safe.

/// What is known of one name since a create was sent for it whose outcome nobody knows.
struct Proof {
    /// Until when such a create may still land.
    var landsUntil = 0
    /// Whether such a create is still without an outcome.
    var isOpen = false
    /// Whether a thorough look has found nothing that began when it could no longer land.
    var isAbsent = false
}
