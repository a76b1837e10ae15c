// SPDX-License-Identifier: Apache-2.0
// All open connections of the public listener: near the limit a new one takes the place of the longest idle.

import NIOCore
import Synchronization

/// Since when one connection is idle. Its own event loop writes it, and any loop may read it.
final class ConnectionActivity: Sendable {
    /// By `NIODeadline`, in nanoseconds. Two values mean something else.
    private let idleSince: Atomic<UInt64>
    private static let busy: UInt64 = 0
    private static let chosen = UInt64.max

    init(now: NIODeadline = .now()) { self.idleSince = Atomic(now.uptimeNanoseconds) }

    /// A request has begun.
    func isBusy() { self.idleSince.store(Self.busy, ordering: .relaxed) }

    /// The answer is complete.
    func isIdle(since now: NIODeadline = .now()) {
        self.idleSince.store(now.uptimeNanoseconds, ordering: .relaxed)
    }

    /// Nil while a request is under way, and for a connection that was chosen already.
    var idle: UInt64? {
        let since = self.idleSince.load(ordering: .relaxed)
        return since == Self.busy || since == Self.chosen ? nil : since
    }

    /// Returns false when the connection is no longer idle since then.
    func choose(idleSince since: UInt64) -> Bool {
        self.idleSince.compareExchange(expected: since, desired: Self.chosen, ordering: .relaxed).exchanged
    }

    /// False when a request has begun meanwhile.
    var isStillChosen: Bool { self.idleSince.load(ordering: .relaxed) == Self.chosen }
}

final class OpenConnections: Sendable {
    private struct Entry {
        let channel: any Channel
        let activity: ConnectionActivity
    }

    /// How many stay open without a look at idle ones.
    private let limit: Int
    /// Above this number also a connection goes that was in use a moment ago.
    private let lastLimit: Int
    /// Nanoseconds for which nobody is pushed out between two requests, as long as there is room.
    private static let pause: UInt64 = 1_000_000_000
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// `maximum`: how many the listener accepts. A sixteenth of them is kept free, so that it can accept on.
    init(maximum: Int) {
        self.limit = maximum - maximum / 16
        self.lastLimit = maximum - maximum / 64
    }

    /// Takes a connection in, until it closes. Above the limit it closes the longest idle one, which may be the new one
    /// itself only when all others are busy.
    func add(_ channel: any Channel, _ activity: ConnectionActivity, now: NIODeadline = .now()) {
        let key = ObjectIdentifier(channel)
        let idle: Entry? = self.entries.withLock { entries in
            entries[key] = Entry(channel: channel, activity: activity)
            guard entries.count > self.limit else { return nil }
            let pause = entries.count > self.lastLimit ? 0 : Self.pause
            return Self.longestIdle(
                entries.values, besides: channel, before: now.uptimeNanoseconds - min(now.uptimeNanoseconds, pause))
        }
        channel.closeFuture.whenComplete { _ in self.entries.withLock { $0[key] = nil } }
        guard let idle else { return }
        idle.channel.eventLoop.execute {
            if idle.activity.isStillChosen { idle.channel.close(promise: nil) }
        }
    }

    private static func longestIdle(
        _ entries: Dictionary<ObjectIdentifier, Entry>.Values, besides own: any Channel, before latest: UInt64
    ) -> Entry? {
        var longest: (entry: Entry, since: UInt64)?
        for entry in entries where entry.channel !== own {
            guard let since = entry.activity.idle, since <= latest, since < longest?.since ?? .max else { continue }
            longest = (entry, since)
        }
        guard let longest, longest.entry.activity.choose(idleSince: longest.since) else { return nil }
        return longest.entry
    }
}
