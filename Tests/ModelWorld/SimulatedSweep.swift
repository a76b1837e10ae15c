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

    mutating func compare(_ listed: [ModelCredential], _ startedAt: Int, _ server: Int) {
        guard self.server == server, self.database.started == server else { return }
        self.tally.count(.sweeps)
        let now = self.databaseNow
        for found in listed {
            if self.mutant == .sweepWithoutProof, !self.database.credentials.contains(where: { $0.id == found.id }) {
                _ = self.provider.delete(found.id)
                self.deletedBySweep.insert(found.id)
                continue
            }
            self.database.explain(found, settle: self.settle, now: now)
        }
        let present = Set(listed.map(\.id))
        for row in self.database.credentials where row.status == .active {
            if present.contains(row.id) {
                if !self.provider.isLive(row.id) && self.provider.isThere(row.id) { self.reprovision(row.id, now) }
            } else if self.mutant == .vanishedByListing {
                self.reprovision(row.id, now)
            } else if row.createdAt + self.settle < now {
                self.miss(row, now)
            }
        }
        self.database.enqueueAllForgotten(now: now)
        let wasLost = self.database.looksFirst
        self.database.sweepEnded(startedAt: startedAt, server: server, met: present)
        // A full list after the quiet time is proof for every name, also those whose doubt was lost with its commit.
        if wasLost && !self.database.looksFirst { self.proofs = self.proofs.mapValues { _ in Proof() } }
        self.committed()
        self.wake()
    }

    /// Known and not listed: asked for by its id.
    private mutating func miss(_ row: ModelDatabase.Credential, _ now: Int) {
        let isLong = row.missingSince.map { $0 + self.settle < now } ?? false
        if self.provider.isLive(row.id) {
            self.database.missing(row.id, isMissing: false, now: now)
        } else if self.provider.isThere(row.id) || isLong {
            self.reprovision(row.id, now)
        } else {
            self.database.missing(row.id, isMissing: true, now: now)
        }
    }

    private mutating func reprovision(_ id: Int, _ now: Int) {
        if self.provider.isLive(id) { self.fail("a credential that is there is taken for vanished") }
        self.note("credential \(id) serves no more; the next generation opens")
        self.database.reprovision(id, now: now, self.mutant)
    }
}
