// SPDX-License-Identifier: Apache-2.0
// How long a tag may be wrong where every visit must notice it, and how long a tenant may be without trust.

import Lifecycle

/// What the judges know of the tags in peace. They look after every commit.
struct TagWatch {
    /// By shard: since when a count of the tag tells that something is wrong.
    var tellsSince: [Int: Int] = [:]
    /// By shard: when its first visit in peace is due. A visit that was lost in the storm is made again after two minutes.
    var firstVisits: [Int: Int] = [:]
    /// Until when the tenant may be without trust; nil: it has it, or a storm is on.
    var trustUntil: Int?
}

extension Simulation {
    /// From the first moment at which a count would tell of a mistake: one visit of a quiet tag, the quiet time until
    /// what is missing counts as gone, and some calls.
    private var tellingBound: Int { self.period * 5 / 4 + Times.landingTime + 60_000 }

    /// Notes, when peace comes, what the storm has put off.
    mutating func beginWatch() {
        for tag in self.ledger.tags where tag.dueAt > self.serverNow {
            self.watch.firstVisits[tag.shard] = tag.dueAt - self.clockOffset
        }
    }

    /// Judges every tag after a commit in peace.
    mutating func watchTags() {
        guard self.isPeace, self.hasSweep else { return }
        for tag in self.ledger.tags {
            if let since = self.watch.tellsSince[tag.shard], self.now > since + self.tellingBound {
                self.fail("the count of tag \(tag.shard) has told of a mistake for \(self.now - since) ms")
            }
            let first = self.watch.firstVisits[tag.shard] ?? 0
            let since = self.watch.tellsSince[tag.shard] ?? max(self.now, first - self.period * 5 / 4)
            self.watch.tellsSince[tag.shard] = self.tells(tag) ? since : nil
        }
        self.watchTrust()
    }

    /// Whether the tag is quiet and a count of it disagrees. A second credential and a missing one in the same tag hide
    /// each other, and an account whose totals are not true tells nothing. Lists find such mistakes.
    private func tells(_ tag: Ledger.Tag) -> Bool {
        guard self.provider.habit == .none, tag.miscounts < NextVisit.toleratedMiscounts,
            self.ledger.isQuiet(tag.shard, landingTime: self.landingTime, now: self.serverNow)
        else { return false }
        let total = self.provider.credentials.count { $0.isThere && $0.listedFrom <= self.now && $0.tag == tag.shard }
        return total != self.ledger.expected(tag.shard) + tag.others
    }

    /// A tenant without trust has it again when all its tags were listed after the quiet time, one in five seconds.
    private mutating func watchTrust() {
        guard self.ledger.looksFirst else { return self.watch.trustUntil = nil }
        let quiet = max(self.now, self.ledger.quietAfterChange.map { $0 - self.clockOffset } ?? self.now)
        let until =
            self.watch.trustUntil ?? quiet + self.ledger.tags.count * 5000 + self.tellingBound
        self.watch.trustUntil = until
        if self.now > until { self.fail("the tenant is \(self.now - until) ms longer without trust than it may be") }
    }
}
