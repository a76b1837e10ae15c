// SPDX-License-Identifier: Apache-2.0
// How a simulated sender's webhook gets into the ledger: it comes again until the sender is told that it is stored.

import Model

extension Simulation {
    /// Delivers a webhook. The delivery may be lost on the way, or its statement may have to wait for a lock.
    mutating func deliver(_ index: Int) {
        if self.now < self.downUntil || !self.isPeace && self.dice.chance(5) { return self.deliverAgain(index) }
        if self.mutant == .acknowledgedBeforeCommit {
            self.webhooks[index].isAcknowledged = true
            return self.agenda.push(self.now + self.dice.upTo(2000), .lateCommit(index, server: self.server))
        }
        if !self.isPeace && self.dice.chance(30) { return self.waitForLock(index) }
        self.commit(index, from: nil)
    }

    /// Begins the statement of a delivery and lets it wait. It has read the ledger, and goes on when the transaction
    /// that it waits for is committed.
    private mutating func waitForLock(_ index: Int) {
        let statement = self.nextStatement
        self.nextStatement += 1
        self.waitingStatements[statement] = self.ledger
        self.agenda.push(
            self.now + self.dice.upTo(2000), .lockGiven(index, statement: statement, server: self.server))
    }

    /// Lets the statement of a delivery go on, with the ledger that it has read at its start. A server that is gone has
    /// forgotten the statement.
    mutating func goOn(_ index: Int, statement: Int, server: Int) {
        let start = self.waitingStatements.removeValue(forKey: statement)
        guard server == self.server, self.now >= self.downUntil else { return self.deliverAgain(index) }
        self.tally.count(.waitedForLock)
        self.commit(index, from: start)
    }

    private mutating func commit(_ index: Int, from start: Ledger?) {
        let server = self.server
        if self.givesUp(on: { $0.take(index) }) { return self.deliverAgain(index) }
        self.take(index, from: start)
        if server != self.server || !self.isPeace && self.dice.chance(10) { return self.deliverAgain(index) }
        self.webhooks[index].isAcknowledged = true
    }

    private mutating func deliverAgain(_ index: Int) {
        self.note("delivery \(index) is not acknowledged")
        self.agenda.push(self.now + 2000, .webhook(index))
    }

    /// Commits a delivery. `start` is what its statement has read before it waited; nil means that it has not waited.
    mutating func take(_ index: Int, from start: Ledger? = nil) {
        let webhook = self.webhooks[index]
        self.note("webhook user \(webhook.user) \(webhook.wanted) \(webhook.occurredAt ?? 0)")
        let before = self.ledger.users[webhook.user]
        self.ledger.take(
            index, user: webhook.user, wanted: webhook.wanted, occurredAt: webhook.occurredAt,
            start: start, now: self.serverNow, self.mutant)
        if self.ledger.users[webhook.user]?.wanted == .gone,
            self.ledger.credentials.contains(where: { $0.user == webhook.user && $0.status == .active })
        {
            self.fail("a user who is gone has a credential that login tokens are made of")
        }
        switch (before?.wanted, self.ledger.users[webhook.user]?.wanted) {
        case (.live, .gone): self.tally.count(.revokes)
        case (.gone, .live): self.tally.count(.signedUpAgain)
        case (.live, .live), (.gone, .gone), (.none, _), (_, .none): break
        }
        self.committed()
        self.wake()
    }
}
