// SPDX-License-Identifier: Apache-2.0
// A simulated worker: the runs it has in hand and the results it has not yet written.

import Lifecycle
import Model

/// One worker process.
///
/// A worker is a slot in `Simulation.workers`. A process that is killed leaves its slot to the next one, which gets
/// another `boot`. A worker acts in turns (`WorkerTurn`): it writes results, claims jobs and does housekeeping, each a
/// transaction of the ledger. Between its turns its runs go on (`RunStep`): the production `step` decides, a call
/// travels to the provider, and its answer (`Reply`) leads to the next step. The end of a run is a `Write`, which waits
/// for the worker's next turn.
struct Worker {
    /// Identifies this process at this server; another boot or another server gives another number.
    var boot: Int
    /// Under what it claims; with each boot they are others.
    var ids: WorkerIDs
    /// By the state that was claimed: claims whose answer was lost. Nothing more is claimed before their jobs are back.
    var lost: [JobState: LostClaim] = [:]
    /// The start of the server that this worker knows.
    var knows: Int?
    var pausedUntil = 0
    var nextTick: Int?
    /// By number. No two runs of a life have the same number.
    var runs: [Int: Run] = [:]
    var unwritten: [Write] = []
    /// What the first transaction of this turn has read, if it waits for a lock.
    var sight: Ledger?
    /// The names of strays as they were read last, and when that was.
    var strayNames: Set<Int> = []
    var namesReadAt = 0
    /// Whether it does nothing but visit.
    var isVisitor = false
    /// Whether the last exchange was broken off.
    var hasFailed = false

    init(boot: Int, isVisitor: Bool = false) {
        self.boot = boot
        self.ids = WorkerIDs(boot)
        self.isVisitor = isVisitor
    }

    /// Returns what the first transaction of the turn has read. All others of the turn begin when they commit.
    mutating func takeSight() -> Ledger? {
        defer { self.sight = nil }
        return self.sight
    }

    /// Whether a stray may bear this name. With names that are too old every job looks first.
    func mayHold(_ name: Int, _ now: Int) -> Bool {
        now - self.namesReadAt >= NextVisit.oldestNames.wholeMilliseconds || self.strayNames.contains(name)
    }
}
