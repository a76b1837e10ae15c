// SPDX-License-Identifier: Apache-2.0
// A walk over the account's pages finds what no tag of the ledger shows: credentials of shards that it has lost.

extension Simulation {
    /// Reads all pages of the account, at once, and decides about each credential. They prove presence only.
    mutating func walkAccount() {
        guard self.hasSweep, self.ledger.walkDueAt <= self.serverNow, self.now >= self.blackoutUntil else { return }
        let now = self.serverNow
        self.ledger.walkDueAt = now + Times.walkRound
        let found = self.provider.list(now: self.now, shift: false) { _ in true }
        let corrections = found.compactMap { self.ledger.explain($0, landingTime: self.landingTime, now: now) }
        self.agenda.push(self.now + self.dice.upTo(2000), .correct(corrections, server: self.server))
    }
}
