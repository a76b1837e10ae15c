// SPDX-License-Identifier: Apache-2.0
// How a transaction takes its time: it waits for a lock with an old sight, or commits after its client gave up.

/// A transaction of the simulation commits at one moment, and is READ COMMITTED as on PostgreSQL.
///
/// Each of its statements copies the database at its start, waits for its locks, and then sees locked rows as they are
/// and all else from its copy. The first statement of a correct transaction takes the lock. So only the copy of the
/// first one is ever old: it is the `sight` that some methods of the ledger take. Decision 0030 says of the others why
/// an old sight does no harm there.
extension Simulation {
    /// Lets the client of one transaction in 500 give up. Half of these commit up to 35 seconds later, the others
    /// never. Returns whether the client has given up.
    mutating func givesUp(on transaction: @escaping (inout Simulation) -> Void) -> Bool {
        guard !self.isPeace, self.dice.upTo(500) == 0 else { return false }
        self.note("a client gives up a transaction")
        self.tally.count(.givenUp)
        if self.dice.chance(50) {
            self.agenda.push(self.now + self.dice.upTo(35_000), .late(transaction, server: self.server))
        }
        return true
    }

    /// One turn in so many waits for a lock: in one life of four every third.
    private var lockWait: Int { self.seed % 4 == 2 ? 3 : 20 }

    /// Lets the first transaction of one turn in 20 wait for a lock, up to two seconds. It has read the ledger already.
    /// Returns whether it waits now.
    mutating func waitsForLock(_ slot: Int) -> Bool {
        guard !self.isPeace, self.workers[slot].sight == nil, self.dice.upTo(self.lockWait) == 0 else { return false }
        self.workers[slot].sight = self.ledger
        self.wake(slot, at: self.now + 1 + self.dice.upTo(2000))
        return true
    }
}
