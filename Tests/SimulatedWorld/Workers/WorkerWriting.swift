// SPDX-License-Identifier: Apache-2.0
// How a simulated worker writes its results into the ledger, and what is checked of each.

import Lifecycle
import Model

extension Simulation {
    /// Writes one result, of which its worker does not hear.
    mutating func writeLate(_ write: Write) {
        _ = self.write(write, nil)
        self.committed()
    }

    /// Writes one result. Returns whether its credential was recorded when that is still to be decided on; nil when the
    /// result is done with. `sight`: what the first statement has read; nil means now.
    mutating func write(_ write: Write, _ sight: Ledger?) -> Bool? {
        let now = self.serverNow
        switch write {
        case .record(let run, let id, let password): return self.record(run, id, password, sight)
        case .move(let run, let state, let delay, let isCharged, let dropsTag, let landingTime):
            self.ledger.move(
                run.lease, to: state, delay: delay, isCharged: isCharged, dropsTag: dropsTag, life: run.life,
                isFailure: run.hasFailed, landingTime: landingTime, now: now, self.mutant)
        case .setAside(let run):
            self.ledger.setAside(run.lease, life: run.life, now: now, self.mutant)
            self.tally.count(.setAside)
        case .end(let run, let id): self.ledger.end(run.lease, deleted: id, now: now, self.mutant)
        case .passOver(let run, let delay):
            self.ledger.end(run.lease, deleted: nil, passesOver: delay, now: now, self.mutant)
        case .bury(let run):
            guard self.ledger.bury(run.lease, mayExist: run.life.isDoubtful, now: now, self.mutant) else { break }
            self.tally.count(.burials)
            self.demandLook(run.user, run.life.generation)
        }
        return nil
    }

    private mutating func record(_ run: Run, _ id: Int, _ password: UInt64, _ sight: Ledger?) -> Bool? {
        let isDoomed = self.ledger.strays.contains { $0.id == id && $0.isRefused }
        // Production records the job's shard, which the ledger has, and a list moves the credential to its own. Here it
        // stands in its own at once, unless the ledger has forgotten that shard.
        let own = self.provider.credentials[id].tag
        let done = self.ledger.record(
            run.lease, user: run.user, generation: run.life.generation, id: id, password: password,
            tag: self.ledger.tagIndex(own) == nil ? run.tag ?? own : own, overlap: run.overlap, sight: sight,
            now: self.serverNow, self.mutant)
        if isDoomed && done?.isRecorded == true {
            self.fail("credential \(id) is recorded, and an operator has ordered its delete")
        }
        let isOwned = self.ledger.credentials.contains { $0.id == id && $0.status == .active }
        if isOwned && self.deletedBySweep.contains(id) {
            self.fail("the sweep deleted what its job was about to record")
        }
        let isBoth =
            self.ledger.surplus.contains { $0.id == id } && self.ledger.credentials.contains { $0.id == id }
        if isBoth {
            self.fail("id \(id) stands in both tables")
        }
        if done?.isRecorded == true && !run.hasCreated { self.tally.count(.adopted) }
        if let done, !done.isEnded { return done.isRecorded }
        self.checkEvidence(run, id)
        return nil
    }

    /// Decides what becomes of a credential and its job when `write` could not.
    mutating func decide(_ write: Write, isRecorded: Bool) {
        guard case .record(let run, let id, _) = write else { return }
        self.ledger.decide(
            run.lease, isRecorded: isRecorded, user: run.user, generation: run.life.generation, id: id,
            tag: self.provider.credentials[id].tag, now: self.serverNow, self.mutant)
        self.checkEvidence(run, id)
    }
}
