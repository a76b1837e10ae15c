// SPDX-License-Identifier: Apache-2.0
// What a visit decides about each credential that it has seen or missed, and how that is carried out a moment later.

import Lifecycle
import Model

extension Simulation {
    /// Decides about each listed credential, and about each of the tag that a whole list has left out.
    mutating func corrections(_ visit: Visit) -> [Correction] {
        let now = self.serverNow
        var corrections: [Correction] = []
        for found in visit.page.shown {
            if self.mutant == .sweepWithoutProof, !self.ledger.credentials.contains(where: { $0.id == found.id }) {
                _ = self.provider.delete(found.id)
                self.deletedBySweep.insert(found.id)
            } else if let correction = self.ledger.explain(found, landingTime: self.landingTime, now: now) {
                corrections.append(correction)
            }
        }
        guard visit.isWhole else { return corrections }
        let present = Set(visit.page.shown.map(\.id))
        for row in self.ledger.credentials
        where row.tag == visit.shard && row.status == .active && !present.contains(row.id) {
            if self.mutant == .leftOutIsGone {
                corrections.append(.reprovision(row.id))
            } else if row.createdAt + self.landingTime < now {
                corrections.append(self.miss(row, now))
            }
        }
        for stray in self.ledger.strays
        where stray.tag == visit.shard && stray.isOpen && !present.contains(stray.id)
            && !self.provider.isThere(stray.id)
        {
            corrections.append(.strayIsGone(stray.id))
        }
        return corrections
    }

    /// Returns what to do about a credential that the ledger has and the list does not show. It is asked for by its id.
    private func miss(_ row: Ledger.Credential, _ now: Int) -> Correction {
        let isLong = row.missingSince.map { $0 + self.landingTime < now } ?? false
        if self.provider.isLive(row.id) { return .missing(row.id, false) }
        return self.provider.isThere(row.id) || isLong ? .reprovision(row.id) : .missing(row.id, true)
    }

    /// Carries out the corrections one by one, and ends the visit. When the server has changed meanwhile, the visit may
    /// break off, or bring its corrections to the next server.
    mutating func carryOut(_ visit: Visit) {
        var visit = visit
        guard self.workers[visit.slot].boot == visit.boot, self.now >= self.downUntil else { return }
        for correction in visit.corrections {
            let isCutOff = visit.server != self.server && self.dice.chance(50) || !self.isPeace && self.dice.chance(2)
            if isCutOff { return }
            if case .reprovision(let id) = correction {
                if self.provider.isLive(id) { self.fail("a credential that is there is taken for vanished") }
                self.checkMissing(id)
                self.note("credential \(id) serves no more; the next generation opens")
            }
            if self.givesUp(on: { $0.carryOut(correction) }) {
                visit.isCutOff = true
            } else {
                self.carryOut(correction)
            }
        }
        self.ledger.enqueueAllForgotten(now: self.serverNow)
        self.committed()
        self.tally.count(.listed)
        self.note("tag \(visit.shard) is listed\(visit.isWhole ? "" : ", not whole"): \(visit.page.shown.map(\.id))")
        if visit.server == self.server {
            self.end(visit, visit.isWhole ? .listed(self.listed(visit)) : .failed)
        }
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
        if case .stray = correction { self.tally.count(.strays) }
        self.committed()
    }
}
