// SPDX-License-Identifier: Apache-2.0
// What a simulated life has before it: what senders want and when, rotations, faults, and the end of them.

import Lifecycle
import Model

extension Simulation {
    mutating func schedule() {
        if self.trouble.isByChance {
            self.scheduleAnything()
        } else if self.isCalm {
            self.scheduleWebhooks(users: 1 + self.dice.upTo(2))
        } else {
            self.scheduleWholeLife()
        }
        self.queue.push(Terms.storm + 1000, .replay)
        for slot in self.workers.indices { self.wake(slot, at: self.dice.upTo(500)) }
        self.queue.push(Terms.storm, .peace)
        if !self.isCalm { self.queue.push(5000, .sweep) }
        self.queue.push(Terms.storm + 400_000, .retryFailed)
        self.queue.push(Terms.storm + 600_000, .retryFailed)
    }

    private mutating func scheduleAnything() {
        let users = 1 + self.dice.upTo(2)
        if self.dice.chance(3) { self.unwelcome[self.dice.upTo(users)] = self.dice.upTo(Terms.storm) }
        let times = self.scheduleWebhooks(users: users)
        for _ in 0..<2 + self.dice.upTo(8) {
            // Anywhere, or in the middle of what a webhook has begun.
            let isNear = self.dice.chance(60)
            let time = isNear ? times[self.dice.upTo(times.count)] + self.dice.upTo(500) : self.dice.upTo(Terms.storm)
            self.queue.push(time, .fault)
        }
        for _ in 0..<self.dice.upTo(3) {
            self.queue.push(self.dice.upTo(Terms.storm), .rotate(self.dice.upTo(users)))
        }
    }

    /// Answers when they come.
    @discardableResult
    private mutating func scheduleWebhooks(users: Int) -> [Int] {
        for user in 0..<users {
            let count = 1 + self.dice.upTo(4)
            var wanted = Wanted.live
            for number in 0..<count {
                self.webhooks.append(Webhook(user: user, wanted: wanted, occurredAt: 1000 + number * 10 + user))
                if self.dice.chance(80) { wanted = wanted == .live ? .gone : .live }
            }
        }
        var times: [Int] = []
        for place in self.webhooks.indices {
            // Sometimes out of order, sometimes twice.
            for _ in 0..<(self.dice.chance(20) ? 2 : 1) {
                times.append(self.dice.upTo(Terms.storm * 2 / 3))
                self.queue.push(times[times.count - 1], .webhook(place))
            }
        }
        return times
    }

    /// A sign-up, a rotation, a revoke and a sign-up again.
    private mutating func scheduleWholeLife() {
        let wishes: [Wanted] = if case .lostClaim = self.trouble { [.live] } else { [.live, .gone, .live] }
        for (number, wanted) in wishes.enumerated() {
            self.webhooks.append(Webhook(user: 0, wanted: wanted, occurredAt: 1000 + number))
            self.queue.push(number * 40_000 + self.dice.upTo(10_000), .webhook(number))
        }
        self.queue.push(15_000 + self.dice.upTo(20_000), .rotate(0))
    }
}
