// SPDX-License-Identifier: Apache-2.0
// Names in doubt are looked up after their jobs have ended, because their creates may land late.

import Model

extension Simulation {
    /// Looks up the names that are due, and decides by committed rows what becomes of each credential that is found.
    mutating func followDoubts() {
        guard self.hasSweep, self.mutant != .doubtsNotFollowed, self.now >= self.blackoutUntil else { return }
        let now = self.serverNow
        for doubt in self.ledger.takeDoubts(now: now) {
            let shift = !self.isPeace && self.dice.chance(5)
            let found = self.provider.list(now: self.now, shift: shift) {
                $0.user == doubt.user && $0.generation == doubt.generation
            }
            self.tally.count(.followed)
            let corrections = found.compactMap { self.ledger.explain($0, landingTime: self.landingTime, now: now) }
            self.agenda.push(self.now + self.dice.upTo(2000), .correct(corrections, server: self.server))
        }
    }

    /// Carries out what was decided of names in doubt. Another server may break it off.
    mutating func correct(_ corrections: [Correction], _ server: Int) {
        guard self.now >= self.downUntil else { return }
        for correction in corrections {
            if self.breaks(server) { return }
            self.carryOut(correction)
        }
        self.wake()
    }
}
