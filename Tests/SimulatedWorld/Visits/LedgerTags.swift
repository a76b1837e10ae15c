// SPDX-License-Identifier: Apache-2.0
// The tenant's tag in shards of two credentials: which one is open, when each is visited, and which are seen.

import Model

extension Ledger {
    /// One shard of the tenant's tag.
    struct Tag {
        var shard: Int
        var dueAt = 0
        /// The era in which it was seen.
        var seenEra: Int?
        var changedAt = 0
        var listedAt: Int?
        var busySince: Int?
        /// Credentials at the provider beside the ledger's, at the last whole list.
        var others = 0
        var miscounts = 0
        var failures = 0
        /// Whether the provider has said that it is full.
        var isFull = false
    }

    /// So few, so that some tenants have several shards.
    static let tagCapacity = 2

    func tagIndex(_ shard: Int) -> Int? { self.tags.firstIndex { $0.shard == shard } }

    /// How many slots of a shard are taken.
    private func held(_ shard: Int) -> Int {
        self.expected(shard)
            + self.jobs.count { job in
                job.tag == shard
                    && !self.credentials.contains {
                        $0.user == job.user && $0.generation == job.generation && $0.status != .deleted
                    }
            }
    }

    /// How many credentials a visit expects under the tag: those that are not deleted, and open surplus.
    func expected(_ shard: Int) -> Int {
        let recorded = self.credentials.count { $0.tag == shard && $0.status != .deleted }
        return recorded + self.strays.count { $0.tag == shard && !$0.isDeleted }
            + self.surplus.count { row in
                row.tag == shard && !row.isDeleted && !self.credentials.contains { $0.id == row.id }
            }
    }

    /// Takes a slot for a job that may create, as the claim does. When the open shard is full, the next one is opened.
    mutating func takeSlot(_ now: Int) -> Int? {
        if !self.hasRoom(self.openShard, for: 1) { self.openNext(now) }
        guard let index = self.tagIndex(self.openShard) else { return nil }
        self.tags[index].changedAt = now
        return self.openShard
    }

    private func hasRoom(_ shard: Int, for number: Int) -> Bool {
        guard let index = self.tagIndex(shard), !self.tags[index].isFull else { return false }
        return self.held(shard) + number <= Self.tagCapacity
    }

    /// Opens a shard that has room again, or the next one, as `TagShards.openNext` does. A new one is seen when its
    /// tenant is.
    private mutating func openNext(_ now: Int) {
        if let old = self.tags.first(where: { self.hasRoom($0.shard, for: 1) }) {
            self.openShard = old.shard
        } else {
            self.openShard = (self.tags.map(\.shard).max() ?? 0) + 1
            let dueAt = self.looksFirst ? now : now + Times.firstVisit
            self.tags.append(Tag(shard: self.openShard, dueAt: dueAt, seenEra: self.seenEra))
        }
    }

    /// Notes that the provider has refused a credential under this tag.
    mutating func isFull(_ shard: Int?) {
        guard let shard, let index = self.tagIndex(shard) else { return }
        self.tags[index].isFull = true
    }

    mutating func changed(_ shard: Int?, _ now: Int) {
        guard let shard, let index = self.tagIndex(shard) else { return }
        self.tags[index].changedAt = now
    }

    // MARK: Trust

    /// Puts the unseen tags in front, as `TagDemand` does.
    mutating func demandTags(_ now: Int) {
        guard self.isAfterQuiet(now) else { return }
        for index in self.tags.indices
        where self.tags[index].seenEra != self.started && self.tags[index].failures == 0 {
            self.tags[index].dueAt = Int.min
        }
    }

    /// Whether what was sent to the server before had landed by then.
    func isAfterQuiet(_ time: Int) -> Bool { self.quietAfterChange.map { $0 <= time } ?? true }

    /// Notes that a tag was seen, as `TenantTrust.saw` does. The tenant is seen when all its tags are.
    ///
    /// The first statement locks the tenant, so the last one sees every shard that was opened before. `sight` is what a
    /// single statement would see that had waited for the lock.
    mutating func saw(_ shard: Int, era: Int, began: Int, sight: Ledger?, _ mutant: Mutant?) {
        guard self.started == era, self.isAfterQuiet(began) || mutant == .seenBeforeQuiet,
            let index = self.tagIndex(shard)
        else { return }
        self.tags[index].seenEra = era
        let seen = mutant == .trustedBeforeLocked ? sight ?? self : self
        let isWhole = seen.tags.allSatisfy { $0.shard == shard || $0.seenEra == era }
        if isWhole { self.seenEra = era }
    }

    /// Takes trust away, because the tag shows names that no worker may know yet.
    mutating func forget(_ shard: Int) {
        self.seenEra = nil
        if let index = self.tagIndex(shard) { self.tags[index].seenEra = nil }
    }
}
