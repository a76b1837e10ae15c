// SPDX-License-Identifier: Apache-2.0
// The agenda of a simulated life before it begins: what senders want and when, rotations, faults and their end.

import Lifecycle
import Model

extension Simulation {
    mutating func schedule() {
        if self.trouble.isByChance {
            self.scheduleAnything()
        } else if self.hasSweep {
            self.scheduleWholeLife()
        } else {
            self.scheduleWebhooks(users: 1 + self.dice.upTo(2))
        }
        self.agenda.push(Times.stormEnd + 1000, .replay)
        for slot in self.workers.indices { self.wake(slot, at: self.dice.upTo(500)) }
        self.agenda.push(Times.stormEnd, .peace)
        self.agenda.push(Times.stormEnd + 400_000, .retryFailed)
        self.agenda.push(Times.stormEnd + 600_000, .retryFailed)
    }

    /// Plans webhooks, faults and rotations by chance. In a few lives the provider rejects a user from some time on.
    private mutating func scheduleAnything() {
        let users = 1 + self.dice.upTo(2)
        if self.dice.chance(3) { self.unwelcome[self.dice.upTo(users)] = self.dice.upTo(Times.stormEnd) }
        let times = self.scheduleWebhooks(users: users)
        for _ in 0..<2 + self.dice.upTo(8) {
            // A fault comes at any time, or soon after a webhook, in the middle of the work that it has begun.
            let isNear = self.dice.chance(60)
            let time =
                isNear ? times[self.dice.upTo(times.count)] + self.dice.upTo(500) : self.dice.upTo(Times.stormEnd)
            self.agenda.push(time, .fault)
        }
        if self.hasSweep, self.dice.chance(30) { self.agenda.push(self.dice.upTo(Times.stormEnd), .doom) }
        for _ in 0..<self.dice.upTo(3) {
            self.agenda.push(self.dice.upTo(Times.stormEnd), .rotate(self.dice.upTo(users)))
        }
    }

    /// Plans one to four webhooks for each user. Returns when they come.
    @discardableResult
    private mutating func scheduleWebhooks(users: Int) -> [Int] {
        for user in 0..<users {
            let count = 1 + self.dice.upTo(4)
            var wanted = Wanted.live
            for number in 0..<count {
                self.webhooks.append(Webhook(user: user, wanted: wanted, occurredAt: self.time(number, user)))
                if self.dice.chance(80) { wanted = wanted == .live ? .gone : .live }
            }
        }
        var times: [Int] = []
        for index in self.webhooks.indices {
            // Webhooks may come out of order, and some come twice.
            for _ in 0..<(self.dice.chance(20) ? 2 : 1) {
                times.append(self.dice.upTo(Times.stormEnd * 2 / 3))
                self.agenda.push(times[times.count - 1], .webhook(index))
            }
        }
        return times
    }

    /// Returns a sender's time. Some are equal to the one before, and a few are missing.
    private mutating func time(_ number: Int, _ user: Int) -> Int? {
        let isEqual = number > 0 && self.dice.chance(10)
        guard self.trouble.isByChance, self.dice.chance(3) else {
            return 1000 + (isEqual ? number - 1 : number) * 10 + user
        }
        self.toldByOperator.insert(user)
        return nil
    }

    /// Plans a sign-up, a rotation, a revoke and a sign-up again; with a lost claim, the sign-up and the rotation
    /// alone.
    private mutating func scheduleWholeLife() {
        let wishes: [Wanted] = if case .lostClaim = self.trouble { [.live] } else { [.live, .gone, .live] }
        for (number, wanted) in wishes.enumerated() {
            self.webhooks.append(Webhook(user: 0, wanted: wanted, occurredAt: 1000 + number))
            self.agenda.push(number * 40_000 + self.dice.upTo(10_000), .webhook(number))
        }
        self.agenda.push(15_000 + self.dice.upTo(20_000), .rotate(0))
    }
}
