// SPDX-License-Identifier: Apache-2.0
// What breaks in the simulation, beside the provider: workers, servers, clocks; and the peace after it.

import Model

extension Simulation {
    mutating func fault() {
        guard !self.isPeace else { return }
        switch self.dice.upTo(self.isCalm ? 7 : 12) {
        case 0:  // kill -9
            self.kill(self.dice.upTo(self.workers.count))
        case 1:  // SIGSTOP
            let slot = self.dice.upTo(self.workers.count)
            self.workers[slot].pausedUntil = self.now + self.dice.upTo(90_000)
            self.note("stop worker \(slot) until \(self.workers[slot].pausedUntil)")
        case 2:  // the server crashes and comes back
            self.restart(.restart)
        case 3:  // everybody stands still for a while
            for slot in self.workers.indices {
                self.workers[slot].pausedUntil = self.now + 30_000 + self.dice.upTo(60_000)
            }
            self.note("all workers stop")
        case 4: self.rotate(self.dice.upTo(2))
        case 5:  // the provider cannot be reached
            self.blackoutUntil = self.now + self.dice.upTo(90_000)
            self.note("the provider is away until \(self.blackoutUntil)")
        case 6:  // alive, and without the lock that would say so
            let boot = self.workers[self.dice.upTo(self.workers.count)].boot
            self.deadBoots[boot] = self.now
            self.note("boot \(boot) is taken for dead")
        case 7, 8: self.promote()
        case 9:
            self.clockOffset += self.dice.upTo(120_000) - 20_000
            self.hasJumped = true
            self.note("clock off by \(self.clockOffset)")
        case 10:  // deleted behind our back
            if let lost = self.provider.live.first, self.dice.chance(40) {
                self.note("credential \(lost.id) vanishes")
                self.tally.count(.vanished)
                _ = self.provider.delete(lost.id)
            }
        case 11:
            // Not of one who is rejected: as long as the expired one is there, every sweep would have another tried
            // for.
            if let old = self.provider.live.last, self.unwelcome.isEmpty, self.dice.chance(40) {
                self.note("credential \(old.id) expires")
                self.tally.count(.expired)
                self.provider.expire(old.id)
            }
        default: break
        }
    }

    /// Of a standby that may lack the last commits.
    private mutating func promote() {
        if self.unreplicated > 0 {
            self.hasLostCommits = true
            // What proved them to be surplus may be lost, and a worker may still have one's 201 in hand: the sweep will
            // miss it.
            self.deletedBySweep = []
            self.tally.count(.lostCommits)
        }
        self.database = self.standby
        self.unreplicated = 0
        self.restart(.failover)
    }

    /// The ledger of before the first claim, on another server that somebody has adopted; then silence but for the
    /// sweep.
    mutating func loseClaim(_ before: ModelDatabase) {
        guard case .lostClaim = self.trouble, !self.hasLostCommits else { return }
        self.hasLostCommits = true
        self.database = before
        self.restart(.failover)
        self.database.adopt(
            self.server, .failover, lease: Terms.lease, landingTime: self.landingTime, now: self.databaseNow)
        self.lastChange = .restart
        for slot in self.workers.indices {
            self.workers[slot].pausedUntil = self.now + Terms.lease + self.landingTime + 12_000 + self.dice.upTo(500)
        }
    }

    mutating func kill(_ slot: Int) {
        self.note("kill worker \(slot)")
        self.deadBoots[self.workers[slot].boot] = self.now
        self.workers[slot] = ModelWorker(boot: self.nextBoot)
        self.nextBoot += 1
        self.workers[slot].pausedUntil = self.now + self.dice.upTo(60_000)
        self.wake(slot, at: self.workers[slot].pausedUntil)
    }

    mutating func restart(_ change: ModelDatabase.Change) {
        self.note("server \(change)")
        self.server += 1
        if change == .failover || self.lastChange == .restart || self.database.started == self.server - 1 {
            self.lastChange = change
        }
        for slot in self.workers.indices { self.wake(slot, at: self.now + 200 + self.dice.upTo(2000)) }
    }

    mutating func makePeace() {
        self.note("peace")
        self.isPeace = true
        self.blackoutUntil = 0
        self.clockOffset = max(self.clockOffset, 0)
        let now = self.now
        for slot in self.workers.indices {
            self.workers[slot].pausedUntil = min(self.workers[slot].pausedUntil, now)
        }
        self.wake()
    }
}
