// SPDX-License-Identifier: Apache-2.0
// One run of one simulated job by one worker.

import Lifecycle

struct Run {
    var lease: Lease
    var life: JobLife
    var user: Int
    var overlap: Int
    /// The shard in which its job holds a slot.
    var tag: Int?
    var leaseEnd: Int
    var server: Int
    let isFromDoubt: Bool
    /// The lease as it was claimed, by which its loop knows it.
    let claimed: Lease
    /// The server that it was armed by.
    var armedBy: Int
    /// How often the server's clock had jumped ahead by then.
    var jumpsWhenArmed: Int
    /// Whether its own create was answered.
    var hasCreated = false
    var hasFailed = false
    /// When the last look began, and whether it listed the tag too.
    var lookBegan = 0
    var isThorough = false
    /// The credentials that the last answer has shown.
    var shown: [Shown] = []
}
