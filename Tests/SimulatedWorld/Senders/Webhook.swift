// SPDX-License-Identifier: Apache-2.0
// A simulated sender's word on a user, and whether it was told that the word is stored.

import Model

struct Webhook {
    var user: Int
    var wanted: Wanted
    /// Nil: the sender does not say.
    var occurredAt: Int?
    var isAcknowledged = false
}
