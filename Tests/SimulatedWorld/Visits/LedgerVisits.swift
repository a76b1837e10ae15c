// SPDX-License-Identifier: Apache-2.0
// What a visit reads of its tag in the simulated ledger, and what its end writes there.

import Lifecycle
import Model

extension Ledger {
    /// Takes a tag that is due; one that a claim wants comes first. The taker pushes the due time ahead.
    mutating func takeTag(_ now: Int) -> (tag: Tag, isWanted: Bool)? {
        let due = self.tags.indices.filter { self.tags[$0].dueAt <= now }
        guard let index = due.min(by: { self.tags[$0].dueAt < self.tags[$1].dueAt }) else { return nil }
        let isWanted = self.tags[index].dueAt == Int.min
        self.tags[index].dueAt = now + 120_000
        return (self.tags[index], isWanted)
    }

    /// Whether nothing is on its way in the tag that the provider may or may not show, as `TagVisit.state` reads it.
    func isQuiet(_ shard: Int, landingTime: Int, now: Int) -> Bool {
        let since = now - landingTime
        return !self.credentials.contains { $0.tag == shard && $0.status != .deleted && $0.createdAt >= since }
            && !self.surplus.contains { $0.tag == shard && !$0.isDeleted && $0.foundAt >= since }
            && !self.strays.contains { $0.tag == shard && !$0.isDeleted && $0.foundAt >= since }
            && !self.tags.contains { $0.shard == shard && $0.changedAt >= since }
            && !self.jobs.contains {
                $0.tag == shard && ($0.state == .armed || $0.state == .looking || $0.quietUntil ?? 0 > now)
            }
    }

    /// Whether a visit must list, whatever a count would say.
    func mustList(_ tag: Tag, isWanted: Bool, now: Int, _ mutant: Mutant?) -> Bool {
        let isUnseen = tag.seenEra != self.started && mutant != .countIsTrust
        let isOld = tag.listedAt.map { $0 + Times.listAge < now } ?? true
        return isWanted && mutant != .countIsTrust || isUnseen
            || (isOld || tag.miscounts >= NextVisit.toleratedMiscounts) && mutant != .countOnly
    }

    /// Writes the end of a visit, as `VisitEnd` does. `delay`: until the next one. A tag that is not seen in this era is
    /// due when it can be.
    mutating func end(_ visit: Visit, _ outcome: VisitOutcome, delay: Int, sight: Ledger?, now: Int, _ mutant: Mutant?)
    {
        guard let index = self.tagIndex(visit.shard) else { return }
        switch outcome {
        case .notQuiet: self.tags[index].busySince = self.tags[index].busySince ?? now
        case .failed, .unproven: self.tags[index].failures += 1
        case .heldBack: break
        case .agreed:
            self.tags[index].busySince = nil
            self.tags[index].failures = 0
            if mutant == .countIsTrust {
                self.saw(visit.shard, era: visit.era, began: visit.began, sight: sight, mutant)
            }
        case .listed(let listed):
            self.endList(visit, index, listed, sight: sight, mutant)
        }
        self.tags[index].dueAt = now + (mutant == .busyWaitsLong && outcome == .notQuiet ? Times.listAge : delay)
        let isDone: Bool =
            switch outcome {
            case .agreed: true
            case .listed(let listed): listed.isDealtWith
            case .notQuiet, .failed, .unproven, .heldBack: false
            }
        if isDone, self.tags[index].seenEra != self.started {
            self.tags[index].dueAt = max(now + 5000, (self.quietAfterChange ?? now) + 1000)
        }
    }

    private mutating func endList(
        _ visit: Visit, _ index: Int, _ listed: ListedTag, sight: Ledger?, _ mutant: Mutant?
    ) {
        self.tags[index].listedAt = visit.began
        self.tags[index].busySince = nil
        self.tags[index].failures = 0
        self.tags[index].isFull = false
        self.tags[index].miscounts = listed.miscounts
        self.tags[index].others = listed.others ?? self.tags[index].others
        if visit.hasNext, self.tagIndex(visit.shard + 1) == nil {
            self.tags.append(Tag(shard: visit.shard + 1))
        }
        if listed.hasNewStrays {
            self.forget(visit.shard)
        } else if listed.isDealtWith {
            self.saw(visit.shard, era: visit.era, began: visit.began, sight: sight, mutant)
        }
    }
}
