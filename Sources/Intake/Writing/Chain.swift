// SPDX-License-Identifier: Apache-2.0
// Deliveries that must be written one after the other: they name the same user, or come under the same id.

/// The slots of such deliveries, in the order of arrival. Only the first may be in the next batch.
struct Chain: Sendable {
    private(set) var first: Int
    /// Empty for nearly every user, and then it costs no memory of its own.
    private var rest: [Int] = []

    init(_ slot: Int) { self.first = slot }

    var count: Int { self.rest.count + 1 }

    /// Returns how many of the deliveries fulfil a condition.
    func count(where fulfils: (Int) -> Bool) -> Int {
        self.rest.reduce(fulfils(self.first) ? 1 : 0) { fulfils($1) ? $0 + 1 : $0 }
    }

    /// Appends a slot. Returns false when it is the last one already.
    fileprivate mutating func append(_ slot: Int) -> Bool {
        guard (self.rest.last ?? self.first) != slot else { return false }
        self.rest.append(slot)
        return true
    }

    /// Removes the first slot. Returns the next one, which is the first now. Nil leaves the chain as it is, to be
    /// removed.
    fileprivate mutating func advance() -> Int? {
        guard !self.rest.isEmpty else { return nil }
        self.first = self.rest.removeFirst()
        return self.first
    }
}

extension Dictionary where Value == Chain {
    /// Puts a delivery at the end of a key's chain. Returns whether it now waits there behind another one. A key that
    /// the delivery has joined a moment ago is not joined twice.
    mutating func join(_ slot: Int, _ key: Key) -> Bool { self[key, default: Chain(slot)].append(slot) }

    /// Takes a delivery from the front of a key's chain. Returns the delivery that is first now; nil when none waits
    /// there, or when this one has left before.
    mutating func leave(_ slot: Int, _ key: Key) -> Int? {
        guard let place = self.index(forKey: key), self.values[place].first == slot else { return nil }
        if let next = self.values[place].advance() { return next }
        self.remove(at: place)
        return nil
    }
}
