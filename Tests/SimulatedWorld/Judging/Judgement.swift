// SPDX-License-Identifier: Apache-2.0
// The rules that hold after every commit of a simulated life, and at its end.

import Model

/// The judges see both sides, the ledger and the provider, as no part of the protocol does. They judge at four moments:
/// after every commit, whenever a worker sends, deletes or writes (`Authority`), and at the end of the life. The first
/// violation ends the life.
extension Simulation {
    /// Judges a commit, and lets the standby follow. In peace the standby has every commit; in a storm it may lag.
    mutating func committed() {
        self.checkForgotten()
        self.watchTags()
        self.commits += 1
        if case .crash(self.commits) = self.trouble { self.restart(.restart) }
        if !self.hasSweep || self.isPeace || self.dice.chance(self.replication) {
            self.standby = self.ledger
            self.unreplicated = 0
        } else {
            self.unreplicated += 1
        }
    }

    /// No user waits without a job. Lost commits are an exception: a worker may then write down the delete of a
    /// credential that the ledger wants again, and the sweep finds such a user.
    private mutating func checkForgotten() {
        guard !self.hasLostCommits, let user = self.ledger.forgotten(isSweeps: false).first else { return }
        self.fail("user \(user) has not what is wanted and no job")
    }

    // MARK: The end

    /// Judges the end of a life: a user has exactly one credential if one is wanted, none if none is, and both sides
    /// agree.
    mutating func judge() {
        for (user, last) in self.lastWords().sorted(by: { $0.key < $1.key }) {
            self.judge(user, last)
            if self.failure != nil { return }
        }
        // The job of a user who has failed is dead.
        let endless = self.ledger.jobs.first { $0.state != .dead || self.ledger.users[$0.user]?.status != .failed }
        if let endless { self.fail("a job has no end: \(endless)") }
        let isLeft = self.ledger.surplus.contains { !$0.isDeleted && !self.waitsForProof($0.id) }
        if isLeft { self.fail("surplus is left") }
        let both = Set(self.ledger.credentials.map(\.id)).intersection(self.ledger.surplus.map(\.id))
        if self.ledger.hasCrossedLocks { self.fail("locks are taken crosswise") }
        if !both.isEmpty { self.fail("an id stands in both tables") }
    }

    /// Returns the newest webhook of each user by the sender's time. Every webhook must have been acknowledged and
    /// stored.
    private mutating func lastWords() -> [Int: Webhook] {
        var last: [Int: Webhook] = [:]
        for (index, webhook) in self.webhooks.enumerated() {
            if !webhook.isAcknowledged { self.fail("delivery \(index) was never acknowledged") }
            if !self.ledger.events.contains(index) { self.fail("delivery \(index) was acknowledged and is lost") }
            // A revoke wins ties.
            if let best = last[webhook.user], let time = webhook.occurredAt, let newest = best.occurredAt,
                newest > time || newest == time && best.wanted == .gone
            {
                continue
            }
            last[webhook.user] = webhook
        }
        return last
    }

    /// Whether the ledger knows the credential as a second one of a generation that nobody owns any more: its first one
    /// vanished before it was recorded, and the provider rejects the user now. It is deleted when the generation gets
    /// another one, or is closed.
    private func waitsForProof(_ id: Int) -> Bool {
        let found = self.provider.credentials[id]
        guard self.unwelcome[found.user] != nil, let row = self.ledger.users[found.user], row.status == .failed,
            row.wanted == .live, row.generation == found.generation,
            self.ledger.surplus.contains(where: { $0.id == id && !$0.isDeleted })
        else { return false }
        return !self.ledger.credentials.contains { $0.user == found.user && $0.generation == found.generation }
    }

    private mutating func judge(_ user: Int, _ last: Webhook) {
        guard let row = self.ledger.users[user] else { return self.fail("user \(user) was forgotten") }
        var last = last
        if self.toldByOperator.contains(user) { last.wanted = row.wanted }
        if row.wanted != last.wanted { self.fail("user \(user) is wanted \(row.wanted), not \(last.wanted)") }
        let live = self.provider.credentials.filter { $0.user == user && $0.isThere && !self.waitsForProof($0.id) }
        let open = self.ledger.credentials.filter { $0.user == user && $0.status != .deleted }
        if last.wanted == .gone {
            if !live.isEmpty || !open.isEmpty || row.status != .revoked {
                self.fail("user \(user) is gone and has \(live.count) live, \(open.count) open, \(row.status)")
            }
            return
        }
        // A user whom the provider rejects is failed and has nothing of what is wanted. An earlier generation may
        // serve.
        if self.unwelcome[user] != nil, row.status == .failed, live.count <= 1, live.map(\.id) == open.map(\.id),
            live.map(\.password) == open.map(\.password), !live.contains(where: { $0.generation >= row.generation })
        {
            return
        }
        // It vanished from a shard that the ledger has forgotten, before a list has shown it there. No visit looks there;
        // the next token does.
        if live.isEmpty, open.count == 1, self.ledger.tagIndex(open[0].tag) == nil { return }
        guard live.count == 1, live[0].isLive, open.count == 1, row.status == .ready else {
            return self.fail("user \(user) has \(live.count) live, \(open.count) open, \(row.status)")
        }
        if live[0].id != open[0].id || open[0].password != live[0].password || open[0].status != .active
            || open[0].generation != row.generation || live[0].generation != row.generation
        {
            self.fail("user \(user): ledger and provider differ")
        }
    }
}
