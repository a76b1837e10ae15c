// SPDX-License-Identifier: Apache-2.0
// The simulated provider's answer to a call, as the worker reads it.

import Lifecycle

enum Answer {
    /// An answer to a create that the production code would report as this event.
    case event(JobEvent)
    case created(Shown)
    /// Live credentials that a list has shown, oldest first.
    case listed([Shown])
    case retrieved(Shown)
    case deleted
    case failed
}

/// A credential as an answer shows it. A list may leave the password out.
struct Shown {
    var id: Int
    var password: UInt64?
}
