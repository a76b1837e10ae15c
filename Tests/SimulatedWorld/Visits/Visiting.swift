// SPDX-License-Identifier: Apache-2.0
// A worker of the simulation visits tags that are due: it counts or lists, and compares with the ledger.

import Lifecycle
import Model

extension Simulation {
    /// Takes a tag that is due, and begins to visit it.
    mutating func visit(_ slot: Int) {
        guard self.hasSweep, let (tag, isWanted) = self.ledger.takeTag(self.serverNow) else { return }
        self.committed()
        let visit = Visit(
            shard: tag.shard, slot: slot, boot: self.workers[slot].boot, server: self.server, era: self.ledger.started,
            began: self.serverNow, isWanted: isWanted)
        self.agenda.push(self.now + 1 + self.dice.upTo(1000), .ask(visit))
    }

    /// Whether the visit's worker is alive and knows the server still.
    private func goesOn(_ visit: Visit) -> Bool {
        visit.server == self.server && self.ledger.started == visit.server
            && self.workers[visit.slot].boot == visit.boot && self.restsUntil(visit.slot) <= self.now
    }

    /// Calls the provider: one call for a count, or the pages of a list.
    mutating func ask(_ visit: Visit) {
        guard self.goesOn(visit), let index = self.ledger.tagIndex(visit.shard) else { return }
        if self.now < self.blackoutUntil || !self.isPeace && self.dice.chance(5) { return self.end(visit, .failed) }
        var visit = visit
        let now = self.serverNow
        let tag = self.ledger.tags[index]
        let isQuiet = self.ledger.isQuiet(visit.shard, landingTime: self.landingTime, now: now)
        let busy = Int(NextVisit.longestBusy(.milliseconds(self.period)).components.seconds) * 1000
        let isLate = tag.busySince.map { $0 + min(busy, Times.listAge) < now } ?? false
        visit.isListing =
            visit.isListing || self.ledger.mustList(tag, isWanted: visit.isWanted, now: now, self.mutant)
            || !isQuiet && isLate
        if !visit.isListing && !isQuiet { return self.end(visit, .notQuiet) }
        if visit.isListing {
            self.list(&visit)
        } else {
            visit.page = self.count(visit.shard)
        }
        self.agenda.push(self.now + self.dice.upTo(2000), .compare(visit))
    }

    /// Lists the tag, and once more when it does not show as many as the provider says there are. The visit of the
    /// highest shard lists the next one too.
    private mutating func list(_ visit: inout Visit) {
        visit.page = self.listTag(visit.shard)
        visit.isWhole = visit.page.total == visit.page.shown.count
        if !visit.isWhole {
            let second = self.listTag(visit.shard)
            let ids = Set(visit.page.shown.map(\.id))
            visit.isWhole = second.total == second.shown.count || Set(second.shown.map(\.id)) == ids
            visit.page.shown += second.shown.filter { !ids.contains($0.id) }
            visit.page.total = second.total
        }
        visit.isInexact = visit.page.shown.contains { $0.tag != visit.shard }
        let isHighest = !self.ledger.tags.contains { $0.shard > visit.shard }
        if isHighest, self.mutant != .nextShardUnseen {
            let ids = Set(visit.page.shown.map(\.id))
            var next = self.listTag(visit.shard + 1)
            // An empty page that names a total may have been cut.
            if next.shown.isEmpty, next.total ?? 0 > 0 { next = self.listTag(visit.shard + 1) }
            visit.hasNext = !Set(next.shown.map(\.id)).isSubset(of: ids)
        }
    }

    // MARK: Compare

    /// Reads the ledger and decides. The corrections are carried out a moment later.
    mutating func compare(_ visit: Visit) {
        guard self.goesOn(visit) else { return }
        if !visit.isListing { return self.compareCount(visit) }
        var visit = visit
        visit.corrections = self.corrections(visit)
        self.agenda.push(self.now + (self.dice.chance(50) ? 0 : self.dice.upTo(4000)), .carryOut(visit))
    }

    /// A count that differs, or whose sample the ledger does not have, is a reason to list.
    private mutating func compareCount(_ visit: Visit) {
        guard self.ledger.isQuiet(visit.shard, landingTime: self.landingTime, now: self.serverNow),
            let index = self.ledger.tagIndex(visit.shard)
        else { return self.end(visit, .notQuiet) }
        let expected = self.ledger.expected(visit.shard) + self.ledger.tags[index].others
        let isKnown = visit.page.shown.allSatisfy { sample in
            !sample.isExpired
                && (self.ledger.credentials.contains { $0.id == sample.id && $0.status != .deleted }
                    || self.ledger.strays.contains { $0.id == sample.id }
                    || self.ledger.surplus.contains { $0.id == sample.id && !$0.isDeleted })
        }
        if visit.page.total == expected, isKnown || self.mutant == .countOnly {
            self.tally.count(.counted)
            return self.end(visit, .agreed)
        }
        var visit = visit
        visit.isListing = true
        self.ask(visit)
    }

    // MARK: The end

    /// What a whole list says of the tag itself.
    func listed(_ visit: Visit) -> ListedTag {
        var listed = ListedTag()
        guard let index = self.ledger.tagIndex(visit.shard) else { return listed }
        for case .stray(let found) in visit.corrections
        where !self.ledger.strays.contains(where: { $0.id == found.id && $0.foundAt + 30_000 < self.serverNow }) {
            listed.hasNewStrays = true
        }
        listed.isUnfinished = visit.isUnfinished
        let missing = visit.corrections.count { if case .missing(_, true) = $0 { true } else { false } }
        listed.isInexact = visit.isInexact
        listed.miscounts = self.ledger.tags[index].miscounts
        guard !visit.isInexact else {
            listed.miscounts += 1
            return listed
        }
        guard self.ledger.isQuiet(visit.shard, landingTime: self.landingTime, now: self.serverNow) else {
            return listed
        }
        listed.others = visit.page.total.map { $0 + missing - self.ledger.expected(visit.shard) }
        let isExplained = visit.page.total == visit.page.shown.count || listed.others == self.ledger.tags[index].others
        listed.miscounts = isExplained ? 0 : listed.miscounts + 1
        return listed
    }

    /// Writes the end of the visit. Its transaction may wait for the tenant's lock, or be given up by the worker.
    mutating func end(_ visit: Visit, _ outcome: VisitOutcome) {
        let next = NextVisit(
            period: .milliseconds(self.period), landingTime: .milliseconds(self.landingTime),
            random: Double(self.dice.upTo(1000)) / 1000)
        let failures = self.ledger.tagIndex(visit.shard).map { self.ledger.tags[$0].failures } ?? 0
        let delay = min(next.delay(after: outcome, failures: failures).wholeMilliseconds, Times.listAge)
        let sight = self.ledger
        if self.givesUp(on: { $0.writeEnd(visit, outcome, delay, nil) }) { return }
        guard !self.isPeace, self.dice.upTo(20) == 0 else { return self.writeEnd(visit, outcome, delay, nil) }
        self.agenda.push(
            self.now + self.dice.upTo(2000),
            .late({ $0.writeEnd(visit, outcome, delay, sight) }, server: self.server))
    }

    private mutating func writeEnd(_ visit: Visit, _ outcome: VisitOutcome, _ delay: Int, _ sight: Ledger?) {
        let wasLost = self.ledger.looksFirst
        let isProof = self.ledger.isAfterQuiet(visit.began)
        self.ledger.end(visit, outcome, delay: delay, sight: sight, now: self.serverNow, self.mutant)
        let unseen = self.ledger.tags.first { $0.seenEra != self.ledger.started }
        if wasLost && !self.ledger.looksFirst, let unseen {
            self.fail("the tenant is declared seen, and its shard \(unseen.shard) is not")
        }
        if wasLost && !self.ledger.looksFirst { self.noteGap() }
        // Whole lists after the quiet time are proof for every name, also for a name whose doubt was lost with its
        // commit.
        if wasLost && !self.ledger.looksFirst && isProof { self.proofs = self.proofs.mapValues { _ in Proof() } }
        self.committed()
    }
}

extension Duration {
    var wholeMilliseconds: Int {
        Int(self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000)
    }
}
