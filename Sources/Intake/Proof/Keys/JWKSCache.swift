// SPDX-License-Identifier: Apache-2.0
// Keeps one sender's published keys in memory, and fetches them again seldom enough that no flood of tokens matters.

package import Foundation
import Postgres
import Synchronization

/// The last set stays in force until a newer one was read, also an empty one, and for a day at most. A fetch that fails
/// changes nothing.
package final class JWKSCache: Sendable {
    /// Gets the document at an address, of so many bytes at most. It follows no redirect, connects to public addresses
    /// alone, and ends by itself within seconds.
    package typealias Fetch = @Sendable (_ address: JWKSAddress, _ maximumBytes: Int) async throws -> [UInt8]

    /// What is known of the keys at one moment.
    struct Known: Sendable {
        /// Nil before the first fetch that succeeded, and when that is longer ago than `longestTrust`.
        var keys: KeySet?
        /// Whether the sender may have newer keys than these: a fetch is under way, or the last one failed, or was
        /// before the delivery and within the pause.
        var isOutdated: Bool
    }

    private struct Memory: Sendable {
        var keys: KeySet?
        var readAt: Date?
        var triedAt: Date?
        var hasFailed = false
        var isFetching = false

        /// A clock that was set back causes no fetch: the pause begins anew. So it holds no fetch up for long either.
        mutating func follow(_ now: Date) {
            let latest = now + JWKSCache.minimumPause
            if let triedAt = self.triedAt, triedAt > latest { self.triedAt = now }
            if let readAt = self.readAt, readAt > latest { self.readAt = now }
        }

        func mayFetch(at now: Date) -> Bool {
            self.triedAt.map { now.timeIntervalSince($0) >= JWKSCache.minimumPause } ?? true
        }

        func age(at now: Date) -> TimeInterval? { self.readAt.map { now.timeIntervalSince($0) } }
    }

    /// Seconds between two fetches at least.
    static let minimumPause: TimeInterval = 60
    /// Seconds after which the keys are fetched again though nobody misses one: a withdrawn key must not stay.
    static let maximumAge: TimeInterval = 600
    /// Seconds for which keys count at most, while no newer ones can be read: whoever keeps the fetches from their
    /// sender must not keep a withdrawn key in force.
    static let longestTrust: TimeInterval = 86_400
    /// After this a fetch has failed, whatever it does.
    static let deadline: Duration = .seconds(10)
    /// For this long a delivery waits for a fetch.
    private static let patience: Duration = .seconds(2)

    private let address: JWKSAddress
    private let deadline: Duration
    private let fetch: Fetch
    private let memory = Mutex(Memory())
    let fetches = SharedReads<Void>(patience: JWKSCache.patience)

    package convenience init(_ address: JWKSAddress, fetch: @escaping Fetch) {
        self.init(address, deadline: Self.deadline, fetch: fetch)
    }

    init(_ address: JWKSAddress, deadline: Duration, fetch: @escaping Fetch) {
        self.address = address
        self.deadline = deadline
        self.fetch = fetch
    }

    /// What is known for a delivery that came at `now`.
    ///
    /// Whoever sends tokens with made-up names uses up the fetch of each minute, and any number of further fetches
    /// would be used up in the same way. So a token by a newer key is told to come again while the pause runs. Only for
    /// the delivery that the keys were fetched for, or an earlier one, are they the newest.
    func known(at now: Date) -> Known {
        self.memory.withLock { memory in
            memory.follow(now)
            let isTrusted = memory.age(at: now).map { $0 < Self.longestTrust } ?? false
            let isLater = memory.triedAt.map { now > $0 } ?? false
            return Known(
                keys: isTrusted ? memory.keys : nil,
                isOutdated: memory.isFetching || memory.hasFailed || (isLater && !memory.mayFetch(at: now)))
        }
    }

    /// Whether the keys are missing or older than `maximumAge`, and may be fetched now.
    package func isDue(at now: Date) -> Bool {
        self.memory.withLock { memory in
            memory.follow(now)
            return memory.mayFetch(at: now) && memory.age(at: now).map { $0 >= Self.maximumAge } ?? true
        }
    }

    /// Whether `refresh` would fetch, or wait for a fetch that is under way.
    package func mayRefresh(at now: Date) -> Bool {
        self.memory.withLock { memory in
            memory.follow(now)
            return memory.isFetching || memory.mayFetch(at: now)
        }
    }

    /// Fetches the keys, once a minute at most. Whoever asks during a fetch waits for that one.
    ///
    /// Returns after `patience` at the latest; the fetch goes on.
    /// Cancelled here: the fetch goes on for the others.
    package func refresh(now: Date) async {
        guard self.mayRefresh(at: now) else { return }
        _ = await self.fetches.outcome(of: self.address.text, isImpatient: true) { await self.read(now) }
    }

    private func read(_ now: Date) async {
        // Another fetch may have ended since the caller looked.
        let isMine = self.memory.withLock { memory in
            guard memory.mayFetch(at: now) else { return false }
            (memory.triedAt, memory.isFetching) = (now, true)
            return true
        }
        guard isMine else { return }
        let keys = await self.document().flatMap { try? KeySet($0) }
        self.memory.withLock { memory in
            memory.isFetching = false
            memory.hasFailed = keys == nil
            guard let keys else { return }
            (memory.keys, memory.readAt) = (keys, now)
        }
    }

    /// Returns nil when the fetch fails, or takes longer than `deadline`.
    private func document() async -> [UInt8]? {
        let (outcomes, ending) = AsyncStream<[UInt8]?>.makeStream()
        // Both are unstructured: a fetch that does not heed its cancellation must hold nobody up.
        let fetch = Task { ending.yield(try? await self.fetch(self.address, KeySet.maximumBytes)) }
        let clock = Task {
            guard (try? await Task.sleep(for: self.deadline)) != nil else { return }
            ending.yield(nil)
        }
        defer {
            fetch.cancel()
            clock.cancel()
        }
        for await outcome in outcomes { return outcome }
        return nil
    }
}

/// The caches of all senders of this process. Two sources of one sender share its keys, and a source that is read again
/// keeps them.
package final class JWKSCaches: Sendable {
    private let deadline: Duration
    private let fetch: JWKSCache.Fetch
    private let caches = Mutex<[JWKSAddress: JWKSCache]>([:])

    package convenience init(fetch: @escaping JWKSCache.Fetch) {
        self.init(deadline: JWKSCache.deadline, fetch: fetch)
    }

    init(deadline: Duration, fetch: @escaping JWKSCache.Fetch) {
        self.deadline = deadline
        self.fetch = fetch
    }

    /// Returns the cache of an address. Operators make sources, and so there are few.
    package func cache(of address: JWKSAddress) -> JWKSCache {
        self.caches.withLock { caches in
            if let known = caches[address] { return known }
            let cache = JWKSCache(address, deadline: self.deadline, fetch: self.fetch)
            caches[address] = cache
            return cache
        }
    }
}
