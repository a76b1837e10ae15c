// SPDX-License-Identifier: Apache-2.0
// Which jobs a loop has in hand, so that a lost claim's jobs can be told from those that have a run.

import Model
import Queue

/// The jobs that runs of one loop have in hand, and those whose result the database has refused.
struct JobsInHand {
    /// A job that was taken away and claimed again may have two runs.
    private var runs: [JobID: Int] = [:]
    /// Their creates may have been sent, and nobody has written that down. Only their leases may end them.
    private var refused: Set<JobID> = []
    /// How many runs there are.
    private(set) var count = 0

    /// The jobs that may not be put back.
    var all: [JobID] { Array(self.refused.union(self.runs.keys)) }

    mutating func begin(_ job: JobID) {
        self.count += 1
        self.runs[job, default: 0] += 1
    }

    mutating func end(_ job: JobID) {
        self.count -= 1
        let left = (self.runs[job] ?? 1) - 1
        self.runs[job] = left > 0 ? left : nil
    }

    /// Keeps jobs whose result could not be written and is given up.
    mutating func keep(refused jobs: [JobID]) { self.refused.formUnion(jobs) }

    /// The worker's id is retired: its jobs are not put back any more.
    mutating func forgetRefused() { self.refused = [] }
}

extension JobResult {
    var job: JobID {
        switch self {
        case .owned(let evidence): evidence.lease.job
        case .moved(let transition): transition.lease.job
        case .ended(let ending): ending.lease.job
        case .buried(let burial): burial.lease.job
        }
    }
}
