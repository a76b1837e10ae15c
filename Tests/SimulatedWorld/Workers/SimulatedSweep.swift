// SPDX-License-Identifier: Apache-2.0
// The sweep of the simulation: a list of everything, held against the ledger a moment later.

import Model

extension Simulation {
    mutating func sweep() {
        let pace = self.isPeace ? 60_000 : 8000
        self.queue.push(self.now + pace, .sweep)
        guard self.database.started == self.server else { return }
        // A list that is shorter than it says is taken again, so a sweep's has no shift.
        let listed = self.provider.list(now: self.now, shift: false) { _ in true }
        self.queue.push(
            self.now + self.dice.upTo(2000),
            .compare(listed, startedAt: self.databaseNow, server: self.server))
    }

    /// Reads what the ledger has, and decides; a moment later, if nothing breaks it off, that is carried out.
    mutating func compare(_ listed: [ModelCredential], _ startedAt: Int, _ server: Int) {
        guard self.server == server, self.database.started == server else { return }
        let now = self.databaseNow
        var corrections: [Correction] = []
        for found in listed {
            if self.mutant == .sweepWithoutProof, !self.database.credentials.contains(where: { $0.id == found.id }) {
                _ = self.provider.delete(found.id)
                self.deletedBySweep.insert(found.id)
            } else if let correction = self.database.explain(found, landingTime: self.landingTime, now: now) {
                corrections.append(correction)
            }
        }
        let present = Set(listed.map(\.id))
        for row in self.database.credentials where row.status == .active && !present.contains(row.id) {
            if self.mutant == .vanishedByListing {
                corrections.append(.reprovision(row.id))
            } else if row.createdAt + self.landingTime < now {
                corrections.append(self.miss(row, now))
            }
        }
        let delay = self.dice.chance(50) ? 0 : self.dice.upTo(4000)
        self.queue.push(
            self.now + delay, .carryOut(corrections, startedAt: startedAt, server: server, met: present))
    }

    /// Known and not listed: asked for by its id.
    private func miss(_ row: ModelDatabase.Credential, _ now: Int) -> Correction {
        let isLong = row.missingSince.map { $0 + self.landingTime < now } ?? false
        if self.provider.isLive(row.id) { return .missing(row.id, false) }
        return self.provider.isThere(row.id) || isLong ? .reprovision(row.id) : .missing(row.id, true)
    }

    /// A sweep that has lost its server ends there, or meets the next with what it had decided.
    mutating func carryOut(_ corrections: [Correction], _ startedAt: Int, _ server: Int, _ met: Set<Int>) {
        for correction in corrections {
            let isCutOff = server != self.server && self.dice.chance(50) || !self.isPeace && self.dice.chance(2)
            if isCutOff { return }
            if case .reprovision(let id) = correction {
                if self.provider.isLive(id) { self.fail("a credential that is there is taken for vanished") }
                self.note("credential \(id) serves no more; the next generation opens")
            }
            self.database.carryOut(correction, now: self.databaseNow, self.mutant)
            self.committed()
        }
        self.database.enqueueAllForgotten(now: self.databaseNow)
        self.committed()
        let wasLost = self.database.looksFirst
        if server == self.server {
            self.database.sweepEnded(startedAt: startedAt, server: server, met: met)
            self.tally.count(.sweeps)
        }
        // A full list after the quiet time is proof for every name, also those whose doubt was lost with its commit.
        if wasLost && !self.database.looksFirst { self.proofs = self.proofs.mapValues { _ in Proof() } }
        self.committed()
        self.wake()
    }
}
