// SPDX-License-Identifier: Apache-2.0
// A simulated worker: the runs it has in hand and the results it has not yet written.

import Lifecycle
import Model

/// One run of one job by one worker.
struct Run {
    var lease: ModelLease
    var life: JobLife
    var user: Int
    var overlap: Int
    var leaseEnd: Int
    var server: Int
    let isFromDoubt: Bool
    /// Whether its own create was answered.
    var hasCreated = false
    var hasFailed = false
    /// What the last answer has shown.
    var shown: [Shown] = []
}

enum Write {
    case own(Run, Int, password: UInt64)
    case move(Run, JobState, delay: Int, isCharged: Bool, landingTime: Int?)
    case end(Run, Int?)
    case passOver(Run, after: Int)
    case bury(Run)

    var run: Run {
        switch self {
        case .own(let run, _, _), .move(let run, _, _, _, _), .end(let run, _), .passOver(let run, _), .bury(let run):
            run
        }
    }
}

struct ModelWorker {
    /// Changes with every boot and every server.
    var boot: Int
    var knows: Int?
    var isAlive = true
    var pausedUntil = 0
    var nextTick: Int?
    var runs: [Int: Run] = [:]
    var unwritten: [Write] = []
    /// Whether the last exchange was broken off.
    var hasFailed = false
}
