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
        if !self.hasSweep { self.ledger.seenEra = self.ledger.started }
        self.ledger.doomStrays(now: self.serverNow)
        for user in self.ledger.users.keys.sorted() { self.ledger.retry(user, now: self.serverNow, self.mutant) }
        self.committed()
        self.wake()
    }

    /// Revokes a user, as `user revoke` does: a word without a time, from no sender.
    mutating func revokeByOperator() {
        let user = self.dice.upTo(2)
        guard self.ledger.users[user]?.wanted == .live else { return }
        self.note("the operator revokes user \(user)")
        self.toldByOperator.insert(user)
        self.ledger.take(-self.now, user: user, wanted: .gone, occurredAt: nil, now: self.serverNow, self.mutant)
        self.committed()
        self.wake()
    }

    /// Signs a user up again whom somebody has revoked.
    mutating func reopen() {
        let user = self.dice.upTo(2)
        guard self.ledger.users[user]?.wanted == .gone else { return }
        self.note("the operator reopens user \(user)")
        self.toldByOperator.insert(user)
        self.ledger.reopen(user, now: self.serverNow)
        self.committed()
        self.wake()
    }

    /// Orders the delete of all credentials that belong to no user the ledger knows.
    mutating func doomStrays() {
        self.ledger.doomStrays(now: self.serverNow)
        self.committed()
    }
}
