// SPDX-License-Identifier: Apache-2.0
// The simulated operator: rotates users, tries failed users again, and deletes unknown credentials.

import Model

extension Simulation {
    mutating func rotate(_ user: Int) {
        guard self.ledger.users[user]?.status == .ready else { return }
        self.note("rotate user \(user)")
        self.tally.count(.rotations)
        self.ledger.rotate(user, overlap: self.dice.upTo(20_000), now: self.serverNow)
        self.committed()
        self.wake()
    }

    /// Acts on a sweep's report. In a life without the sweep this also ends the distrust of the ledger.
    mutating func retryFailed() {
        if !self.hasSweep { self.ledger.looksFirst = false }
        for id in self.ledger.strays.sorted() { _ = self.provider.delete(id) }
        for user in self.ledger.users.keys.sorted() { self.ledger.retry(user, now: self.serverNow, self.mutant) }
        self.committed()
        self.wake()
    }
}
