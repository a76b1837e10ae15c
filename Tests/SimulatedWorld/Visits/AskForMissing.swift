// SPDX-License-Identifier: Apache-2.0
// How a simulated worker asks a second time for credentials that were missed.

import Model

extension Simulation {
    /// Asks by its id for each credential that was missed long enough ago, as `MissingCredentials` does. It is there, or
    /// its user gets another.
    mutating func askForMissing() {
        guard self.hasSweep, self.blackoutUntil <= self.now else { return }
        let server = self.server
        for row in self.ledger.credentials where row.status == .active {
            guard let since = row.missingSince, since + self.landingTime < self.serverNow else { continue }
            // The call may fail, and the connection may break before its answer is written.
            if self.breaks(server) || !self.isPeace && self.dice.chance(20) { return }
            if self.provider.isLive(row.id) {
                self.carryOut(.missing(row.id, false))
            } else {
                self.checkMissing(row.id)
                self.note("credential \(row.id) is asked for, and serves no more")
                self.carryOut(.reprovision(row.id))
            }
        }
    }
}
