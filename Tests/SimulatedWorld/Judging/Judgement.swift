// SPDX-License-Identifier: Apache-2.0
// What must hold after every commit of a simulated life, and at its end.

import Model

extension Simulation {
    /// After every commit. What a standby has: all of them, or in a storm only those of a moment ago.
    mutating func committed() {
        self.checkForgotten()
        self.commits += 1
        if case .crash(self.commits) = self.trouble { self.restart(.restart) }
        if self.isCalm || self.isPeace || self.dice.chance(self.replication) {
            self.standby = self.database
            self.unreplicated = 0
        } else {
            self.unreplicated += 1
        }
    }

    /// Nobody waits for what no job will do. Once commits were lost a worker may write down the delete of what the
    /// ledger wants again; the sweep finds such a user.
    private mutating func checkForgotten() {
        guard !self.hasLostCommits, let user = self.database.forgotten(isSweeps: false).first else { return }
        self.fail("user \(user) has not what is wanted and no job")
    }

    // MARK: The end

    /// Exactly one where one is wanted, none where none is, and both sides agree.
    mutating func judge() {
        var expected: [Int: Webhook] = [:]
        for (place, webhook) in self.webhooks.enumerated() {
            if !webhook.isAcknowledged { self.fail("delivery \(place) was never acknowledged") }
            if !self.database.events.contains(place) { self.fail("delivery \(place) was acknowledged and is lost") }
            if let best = expected[webhook.user], best.occurredAt > webhook.occurredAt { continue }
            expected[webhook.user] = webhook
        }
        for (user, last) in expected.sorted(by: { $0.key < $1.key }) {
            guard let row = self.database.users[user] else { return self.fail("user \(user) was forgotten") }
            if row.wanted != last.wanted { self.fail("user \(user) is wanted \(row.wanted), not \(last.wanted)") }
            let live = self.provider.credentials.filter { $0.user == user && $0.isThere }
            let open = self.database.credentials.filter { $0.user == user && $0.status != .deleted }
            if last.wanted == .gone {
                if !live.isEmpty || !open.isEmpty || row.status != .revoked {
                    self.fail("user \(user) is gone and has \(live.count) live, \(open.count) open, \(row.status)")
                }
                continue
            }
            // Failed, and nothing of what is wanted; one before it may serve.
            if self.unwelcome[user] != nil, row.status == .failed, live.count <= 1, live.map(\.id) == open.map(\.id),
                live.map(\.password) == open.map(\.password), !live.contains(where: { $0.generation >= row.generation })
            {
                continue
            }
            guard live.count == 1, live[0].isLive, open.count == 1, row.status == .ready else {
                return self.fail("user \(user) has \(live.count) live, \(open.count) open, \(row.status)")
            }
            if live[0].id != open[0].id || open[0].password != live[0].password || open[0].status != .active
                || open[0].generation != row.generation || live[0].generation != row.generation
            {
                self.fail("user \(user): ledger and provider differ")
            }
        }
        if !self.database.jobs.isEmpty { self.fail("a job has no end: \(self.database.jobs[0])") }
        let isLeft = self.database.surplus.contains { !$0.isDeleted }
        if isLeft { self.fail("surplus is left") }
        let both = Set(self.database.credentials.map(\.id)).intersection(self.database.surplus.map(\.id))
        if self.database.hasCrossedLocks { self.fail("locks are taken crosswise") }
        if !both.isEmpty { self.fail("an id stands in both tables") }
    }
}
