// SPDX-License-Identifier: Apache-2.0
// The sweep of the simulation: a list of everything, held against the ledger a moment later, then carried out.

import Model

extension Simulation {
    mutating func sweep() {
        let pace = self.isPeace ? 60_000 : 8000
        self.agenda.push(self.now + pace, .sweep)
        guard self.ledger.started == self.server else { return }
        self.followDoubts()
        // The production sweep takes a list again when it is shorter than its count, so this list has no shift.
        let listed = self.provider.list(now: self.now, shift: false) { _ in true }
        self.agenda.push(
            self.now + self.dice.upTo(2000),
            .compare(listed, startedAt: self.serverNow, server: self.server))
    }

    /// Reads the ledger and decides. The corrections are carried out a moment later, unless something breaks them off.
    mutating func compare(_ listed: [ProviderCredential], _ startedAt: Int, _ server: Int) {
        guard self.server == server, self.ledger.started == server else { return }
        let now = self.serverNow
        var corrections: [Correction] = []
        for found in listed {
            if self.mutant == .sweepWithoutProof, !self.ledger.credentials.contains(where: { $0.id == found.id }) {
                _ = self.provider.delete(found.id)
                self.deletedBySweep.insert(found.id)
            } else if let correction = self.ledger.explain(found, landingTime: self.landingTime, now: now) {
                corrections.append(correction)
            }
        }
        let present = Set(listed.map(\.id))
        for row in self.ledger.credentials where row.status == .active && !present.contains(row.id) {
            if self.mutant == .vanishedByListing {
                corrections.append(.reprovision(row.id))
            } else if row.createdAt + self.landingTime < now {
                corrections.append(self.miss(row, now))
            }
        }
        let delay = self.dice.chance(50) ? 0 : self.dice.upTo(4000)
        self.agenda.push(
            self.now + delay, .carryOut(corrections, startedAt: startedAt, server: server, met: present))
    }

    /// Returns what to do about a credential that the ledger has and the list does not show. It is asked for by its id.
    private func miss(_ row: Ledger.Credential, _ now: Int) -> Correction {
        let isLong = row.missingSince.map { $0 + self.landingTime < now } ?? false
        if self.provider.isLive(row.id) { return .missing(row.id, false) }
        return self.provider.isThere(row.id) || isLong ? .reprovision(row.id) : .missing(row.id, true)
    }

    /// Carries out the corrections one by one, and ends the run. When the server has changed meanwhile, the run may
    /// break off, or bring its corrections to the next server.
    mutating func carryOut(_ corrections: [Correction], _ startedAt: Int, _ server: Int, _ met: Set<Int>) {
        for correction in corrections {
            let isCutOff = server != self.server && self.dice.chance(50) || !self.isPeace && self.dice.chance(2)
            if isCutOff { return }
            if case .reprovision(let id) = correction {
                if self.provider.isLive(id) { self.fail("a credential that is there is taken for vanished") }
                self.note("credential \(id) serves no more; the next generation opens")
            }
            self.carryOut(correction)
        }
        self.ledger.enqueueAllForgotten(now: self.serverNow)
        self.committed()
        let wasLost = self.ledger.looksFirst
        let isProof = self.ledger.isAfterQuiet(startedAt)
        if server == self.server {
            self.ledger.sweepEnded(startedAt: startedAt, server: server, met: met, self.mutant)
            self.tally.count(.sweeps)
        }
        // A full list after the quiet time is proof for every name, also for a name whose doubt was lost with its
        // commit.
        if wasLost && !self.ledger.looksFirst && isProof { self.proofs = self.proofs.mapValues { _ in Proof() } }
        self.committed()
        self.wake()
    }

    /// Carries out one correction. A credential was seen whose user's job is about another generation: that job must
    /// look when it comes to this one.
    mutating func carryOut(_ correction: Correction) {
        self.ledger.carryOut(correction, now: self.serverNow, self.mutant)
        if case .adopt(let user) = correction, let row = self.ledger.users[user],
            let index = self.ledger.jobIndex(ofUser: user), self.ledger.jobs[index].generation != row.generation
        {
            self.demandLook(user, row.generation)
        }
        self.committed()
    }
}
