// SPDX-License-Identifier: Apache-2.0
// The faults of workers, servers and clocks, the losses of the provider, and the peace after them.

import Model

extension Simulation {
    /// Lets one thing break. Without the sweep only those faults occur that the protocol itself must repair.
    mutating func fault() {
        guard !self.isPeace else { return }
        switch self.dice.upTo(self.hasSweep ? 16 : 7) {
        case 0: self.kill(self.dice.upTo(self.workers.count))
        case 1: self.stopOne()
        case 2: self.restart(.restart)
        case 3: self.stopAll()
        case 4: self.rotate(self.dice.upTo(2))
        case 5: self.blackOut()
        case 6: self.takeForDead()
        case 7, 8: self.promote()
        case 9: self.jumpClock()
        case 10: self.loseCredential()
        case 11: self.expireCredential()
        case 12: self.load()
        case 13: self.takeImage()
        case 14: self.renewIDs()
        case 15: self.dice.chance(50) ? self.revokeByOperator() : self.reopen()
        default: break
        }
    }

    // MARK: Workers

    /// Ends a worker as `kill -9` does. Another takes its slot, up to a minute later.
    mutating func kill(_ slot: Int) {
        self.note("kill worker \(slot)")
        for id in self.workers[slot].ids.all { self.deadBoots[id] = self.now }
        self.workers[slot] = Worker(boot: self.nextBoot)
        self.nextBoot += 1
        self.workers[slot].pausedUntil = self.now + self.dice.upTo(60_000)
        self.wake(slot, at: self.workers[slot].pausedUntil)
    }

    /// Stops a worker for a while, as SIGSTOP does.
    private mutating func stopOne() {
        let slot = self.dice.upTo(self.workers.count)
        self.workers[slot].pausedUntil = self.now + self.dice.upTo(90_000)
        self.note("stop worker \(slot) until \(self.workers[slot].pausedUntil)")
    }

    private mutating func stopAll() {
        for slot in self.workers.indices {
            self.workers[slot].pausedUntil = self.now + 30_000 + self.dice.upTo(60_000)
        }
        self.note("all workers stop")
    }

    /// Takes a worker's session lock away. The others think that it is dead, and it lives.
    private mutating func takeForDead() {
        let ids = self.workers[self.dice.upTo(self.workers.count)].ids.all
        for id in ids { self.deadBoots[id] = self.now }
        self.note("workers \(ids) are taken for dead")
    }

    // MARK: Servers

    /// Lets the server crash and come back, or lets another take its place.
    mutating func restart(_ change: Ledger.Change) {
        if change == .restore {
            self.agenda.push(min(self.now + self.dice.upTo(100_000), Times.stormEnd), .confirm)
            self.agenda.push(Times.stormEnd + 60_000, .confirm)
        }
        self.note("server \(change)")
        self.server += 1
        if change != .restart || self.lastChange == .restart || self.ledger.started == self.server - 1 {
            self.lastChange = change
        }
        for slot in self.workers.indices { self.wake(slot, at: self.now + 200 + self.dice.upTo(2000)) }
    }

    /// Promotes a standby that may lack the last commits.
    private mutating func promote() {
        if self.unreplicated > 0 { self.loseCommits() }
        self.ledger = self.standby
        self.unreplicated = 0
        // A dump may be loaded on another system.
        self.restart(self.dice.chance(25) ? .restore : .failover)
        self.strikeNodes()
    }

    /// Takes an image of the server's disks. Some time later the server goes down, and the image is put back.
    private mutating func takeImage() {
        self.agenda.push(self.now + self.dice.upTo(60_000), .goDown(self.ledger))
    }

    /// Stops the server until the image is put back. That takes longer than a create may still land: another start is
    /// all that tells of it, and then one look suffices.
    mutating func goDown(_ image: Ledger) {
        let end = self.now + Times.landingTime + self.dice.upTo(20_000)
        guard self.now >= self.downUntil, end < Times.stormEnd else { return }
        self.note("the server is down")
        self.downUntil = end
        self.agenda.push(self.downUntil, .putBack(image))
    }

    /// Puts an image back. Of the nodes some die with the server, and some come late.
    mutating func putBack(_ image: Ledger) {
        self.note("an image is put back")
        self.loseCommits()
        self.landedBefore = self.now - Times.longestLag
        self.ledger = image
        self.standby = image
        self.unreplicated = 0
        self.restart(.restart)
        self.strikeNodes()
    }

    private mutating func loseCommits() {
        self.hasLostCommits = true
        self.landedBefore = self.now + Times.margin
        // The commits that proved a deleted credential to be surplus may be lost, while a worker still holds the
        // credential's 201. The worker may record it now. That is no violation: a visit will find it missing.
        self.deletedBySweep = []
        self.tally.count(.lostCommits)
        // Some senders hear of it at once, and send again. All do so when the storm is over.
        if self.dice.chance(50) { self.agenda.push(self.now + self.dice.upTo(60_000), .replay) }
    }

    /// Lets nodes die with their server, or come late.
    private mutating func strikeNodes() {
        for slot in self.workers.indices {
            switch self.dice.upTo(5) {
            case 0: self.kill(slot)
            case 1: self.workers[slot].pausedUntil = self.now + self.dice.upTo(60_000)
            default: break
            }
        }
    }

    /// Loads a dump that lacks the last commits into the running server. Its start stays, and the rest of its identity
    /// does not.
    private mutating func load() {
        guard self.mutant == .identityByStart else { return self.promote() }
        self.hasLostCommits = self.hasLostCommits || self.unreplicated > 0
        if self.unreplicated > 0 { self.landedBefore = self.now + Times.margin }
        self.deletedBySweep = []
        self.ledger = self.standby
        self.unreplicated = 0
        self.note("a dump is loaded, and nobody notices")
    }

    /// Brings back the ledger of before the first claim, on another server that was adopted meanwhile. Then all workers
    /// stand still, and only the sweep is at work.
    mutating func loseClaim(_ before: Ledger) {
        guard case .lostClaim = self.trouble, !self.hasLostCommits else { return }
        self.hasLostCommits = true
        self.ledger = before
        self.restart(.failover)
        self.ledger.adopt(
            self.server, .failover, lease: Times.lease, landingTime: self.landingTime, now: self.serverNow)
        self.lastChange = .restart
        for slot in self.workers.indices where !self.workers[slot].isVisitor {
            self.workers[slot].pausedUntil = self.now + Times.lease + self.landingTime + 12_000 + self.dice.upTo(500)
        }
    }

    /// Moves the server's clock: 20 seconds back to 100 seconds ahead.
    private mutating func jumpClock() {
        let jump = self.dice.upTo(120_000) - 20_000
        self.clockOffset += jump
        self.hasJumped = true
        if jump > 0 { self.jumpsAhead += 1 }
        self.note("clock off by \(self.clockOffset)")
    }

    // MARK: The provider

    /// Cuts the way to the provider for a while.
    private mutating func blackOut() {
        self.blackoutUntil = self.now + self.dice.upTo(90_000)
        self.note("the provider is away until \(self.blackoutUntil)")
    }

    /// Deletes a credential behind the ledger's back.
    private mutating func loseCredential() {
        guard let lost = self.provider.live.first, self.dice.chance(40) else { return }
        self.note("credential \(lost.id) vanishes")
        self.tally.count(.vanished)
        _ = self.provider.delete(lost.id)
    }

    /// Gives every credential a new id.
    private mutating func renewIDs() {
        guard self.dice.chance(20) else { return }
        self.note("all credentials get new ids")
        for old in self.provider.live {
            _ = self.provider.create(
                user: old.user, generation: old.generation, tag: old.tag, password: self.dice.next(), now: self.now,
                lag: 0)
            _ = self.provider.delete(old.id)
        }
        self.tally.count(.newIDs)
    }

    /// Lets a credential expire. That does not happen while the provider rejects a user: as long as the expired
    /// credential is there, every sweep would try for another one.
    private mutating func expireCredential() {
        guard let old = self.provider.live.last, self.unwelcome.isEmpty, self.dice.chance(40) else { return }
        self.note("credential \(old.id) expires")
        self.tally.count(.expired)
        self.provider.expire(old.id)
    }

    // MARK: Peace

    /// Ends all faults. Stopped workers go on at once.
    mutating func makePeace() {
        self.note("peace")
        self.isPeace = true
        self.boundAll()
        self.blackoutUntil = 0
        if self.clockOffset < 0 { self.jumpsAhead += 1 }
        self.clockOffset = max(self.clockOffset, 0)
        let now = self.now
        for slot in self.workers.indices {
            self.workers[slot].pausedUntil = min(self.workers[slot].pausedUntil, now)
        }
        self.wake()
    }
}
