// SPDX-License-Identifier: Apache-2.0
// Keeps one sender's published keys in memory, and fetches them again seldom enough that no flood of tokens matters.

package import Foundation
import Postgres
import Synchronization

/// The last good set stays in force until a newer one was read. A fetch that fails changes nothing.
package final class JWKSCache: Sendable {
    /// Gets the document at an address, of so many bytes at most. It follows no redirect, connects to public addresses
    /// alone, and ends by itself within seconds.
    package typealias Fetch = @Sendable (_ address: JWKSAddress, _ maximumBytes: Int) async throws -> [UInt8]

    /// What is known of the keys at one moment.
    struct Known: Sendable {
        /// Nil before the first fetch that succeeded.
        var keys: KeySet?
        /// Whether the last fetch failed, so that the sender may have newer keys.
        var isOutdated = false
    }

    private struct Memory: Sendable {
        var known = Known()
        var readAt: Date?
        var triedAt: Date?
        var isFetching = false
    }

    /// Seconds between two fetches at least.
    static let minimumPause: TimeInterval = 60
    /// Seconds after which the keys are fetched again though nobody misses one: a withdrawn key must not stay.
    static let maximumAge: TimeInterval = 600
    /// For this long a delivery waits for a fetch.
    private static let patience: Duration = .seconds(2)

    private let address: JWKSAddress
    private let fetch: Fetch
    private let memory = Mutex(Memory())
    let fetches = SharedReads<Void>(patience: JWKSCache.patience)

    package init(_ address: JWKSAddress, fetch: @escaping Fetch) {
        self.address = address
        self.fetch = fetch
    }

    var known: Known { self.memory.withLock { $0.known } }

    /// Whether the keys are missing or older than `maximumAge`, and may be fetched now.
    package func isDue(at now: Date) -> Bool {
        self.memory.withLock { memory in
            guard let readAt = memory.readAt else { return Self.mayFetch(memory, now) }
            return abs(now.timeIntervalSince(readAt)) >= Self.maximumAge && Self.mayFetch(memory, now)
        }
    }

    /// Whether `refresh` would fetch, or wait for a fetch that is under way.
    package func mayRefresh(at now: Date) -> Bool {
        self.memory.withLock { $0.isFetching || Self.mayFetch($0, now) }
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
            guard Self.mayFetch(memory, now) else { return false }
            (memory.triedAt, memory.isFetching) = (now, true)
            return true
        }
        guard isMine else { return }
        let keys = try? KeySet(try await self.fetch(self.address, KeySet.maximumBytes))
        self.memory.withLock { memory in
            memory.isFetching = false
            memory.known.isOutdated = keys == nil
            guard let keys else { return }
            (memory.known.keys, memory.readAt) = (keys, now)
        }
    }

    /// A clock that was set back must not hold fetches up for long.
    private static func mayFetch(_ memory: Memory, _ now: Date) -> Bool {
        guard let triedAt = memory.triedAt else { return true }
        return abs(now.timeIntervalSince(triedAt)) >= Self.minimumPause
    }
}

/// The caches of all senders of this process. Two sources of one sender share its keys, and a source that is read again
/// keeps them.
package final class JWKSCaches: Sendable {
    private let fetch: JWKSCache.Fetch
    private let caches = Mutex<[JWKSAddress: JWKSCache]>([:])

    package init(fetch: @escaping JWKSCache.Fetch) { self.fetch = fetch }

    /// Returns the cache of an address. Operators make sources, and so there are few.
    package func cache(of address: JWKSAddress) -> JWKSCache {
        self.caches.withLock { caches in
            if let known = caches[address] { return known }
            let cache = JWKSCache(address, fetch: self.fetch)
            caches[address] = cache
            return cache
        }
    }
}
