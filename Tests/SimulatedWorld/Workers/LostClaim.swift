// SPDX-License-Identifier: Apache-2.0
// A claim of a simulated worker whose answer was lost: what it may have taken goes back before the next claim.

import Model

/// The terms of a claim whose answer was lost.
struct LostClaim {
    /// In what state the claim has put its jobs.
    var state: JobState
    /// The id that it claimed under, and the start of the server that stands for the era.
    var worker: Int
    var started: Int
}

extension Simulation {
    /// Notes that nobody knows what became of a claim out of `state`.
    mutating func lose(claimOf state: JobState, _ slot: Int) {
        self.note("worker \(slot) has lost the answer to a claim")
        self.workers[slot].lost[state] = LostClaim(
            state: state == .queued ? .armed : .looking, worker: self.workers[slot].ids[state],
            started: self.workers[slot].knows ?? 0)
    }

    /// Puts back what a lost claim has taken, and retires its id, as `OnboardingWorker.putBack` does. Returns whether
    /// more may be claimed. Also a statement that is carried out late finds every job with a run in its list.
    mutating func putBackLost(_ state: JobState, _ slot: Int) -> Bool {
        guard let lost = self.workers[slot].lost[state] else { return true }
        let server = self.server
        if self.breaks(server) { return false }
        let held = self.held(claimedFrom: state, slot)
        if self.givesUp(on: { $0.putBack(lost, held) }) { return false }
        self.putBack(lost, held)
        if self.breaks(server) { return false }
        self.workers[slot].lost[state] = nil
        self.workers[slot].ids.retire(lost.worker, for: self.nextBoot)
        self.nextBoot += 1
        return true
    }

    /// Returns the claims whose runs one loop has in hand, or whose results are not written.
    private func held(claimedFrom state: JobState, _ slot: Int) -> [Lease] {
        (Array(self.workers[slot].runs.values) + self.workers[slot].unwritten.map(\.run))
            .filter { $0.isFromDoubt == (state == .inDoubt) }.map(\.claimed)
    }

    private mutating func putBack(_ lost: LostClaim, _ held: [Lease]) {
        let count = self.ledger.putBack(lost, held: held, server: self.server, now: self.serverNow, self.mutant)
        for _ in 0..<count { self.tally.count(.putBack) }
        if count > 0 { self.committed() }
    }
}
