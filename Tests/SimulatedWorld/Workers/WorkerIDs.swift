// SPDX-License-Identifier: Apache-2.0
// The ids under which the two loops of a simulated worker claim jobs.

import Model

/// One id for each state that is claimed. No two ids of a life are the same.
struct WorkerIDs {
    private var queue: Int
    private var looks: Int

    init(_ number: Int) {
        self.queue = number
        self.looks = -number
    }

    subscript(claimed: JobState) -> Int { claimed == .queued ? self.queue : self.looks }

    var all: [Int] { [self.queue, self.looks] }

    /// Puts a new id in the place of this one. Does nothing when the worker is another one already.
    mutating func retire(_ id: Int, for number: Int) {
        if self.queue == id { self.queue = number }
        if self.looks == id { self.looks = -number }
    }
}
