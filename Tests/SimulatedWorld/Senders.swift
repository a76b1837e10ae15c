// SPDX-License-Identifier: Apache-2.0
// Senders and operators of the simulation: each comes again until it is told that it was heard.

import Model

extension Simulation {
    /// Until the sender is told that its event is stored it comes again.
    mutating func deliver(_ place: Int) {
        if !self.isPeace && self.dice.chance(5) { return self.deliverAgain(place) }
        if self.mutant == .acknowledgedBeforeCommit {
            self.webhooks[place].isAcknowledged = true
            return self.queue.push(self.now + self.dice.upTo(2000), .lateCommit(place, server: self.server))
        }
        // A statement that waits for a lock has begun before, and goes on when what it waited for is committed.
        if !self.isPeace && self.dice.chance(30) {
            self.statements.append(self.database)
            return self.queue.push(
                self.now + self.dice.upTo(500),
                .lockGiven(place, statement: self.statements.count - 1, server: self.server))
        }
        self.commit(place, from: nil)
    }

    /// The statement of a delivery goes on, with what it has read at its `start`; a server that is gone has forgotten it.
    mutating func goOn(_ place: Int, statement: Int, server: Int) {
        guard server == self.server else { return self.deliverAgain(place) }
        self.tally.count(.waitedForLock)
        self.commit(place, from: self.statements[statement])
    }

    private mutating func commit(_ place: Int, from start: ModelDatabase?) {
        let server = self.server
        self.take(place, from: start)
        if server != self.server || !self.isPeace && self.dice.chance(10) { return self.deliverAgain(place) }
        self.webhooks[place].isAcknowledged = true
    }

    private mutating func deliverAgain(_ place: Int) {
        self.note("delivery \(place) is not acknowledged")
        self.queue.push(self.now + 2000, .webhook(place))
    }

    mutating func take(_ place: Int, from start: ModelDatabase? = nil) {
        let webhook = self.webhooks[place]
        self.note("webhook user \(webhook.user) \(webhook.wanted) \(webhook.occurredAt)")
        let before = self.database.users[webhook.user]
        self.database.take(
            place, user: webhook.user, wanted: webhook.wanted, occurredAt: webhook.occurredAt,
            start: start, now: self.databaseNow, self.mutant)
        if self.database.users[webhook.user]?.wanted == .gone,
            self.database.credentials.contains(where: { $0.user == webhook.user && $0.status == .active })
        {
            self.fail("a user who is gone has a credential that login tokens are made of")
        }
        switch (before?.wanted, self.database.users[webhook.user]?.wanted) {
        case (.live, .gone): self.tally.count(.revokes)
        case (.gone, .live): self.tally.count(.signedUpAgain)
        case (.live, .live), (.gone, .gone), (.none, _), (_, .none): break
        }
        self.committed()
        self.wake()
    }

    mutating func rotate(_ user: Int) {
        guard self.database.users[user]?.status == .ready else { return }
        self.note("rotate user \(user)")
        self.tally.count(.rotations)
        self.database.rotate(user, overlap: self.dice.upTo(20_000), now: self.databaseNow)
        self.committed()
        self.wake()
    }
}
