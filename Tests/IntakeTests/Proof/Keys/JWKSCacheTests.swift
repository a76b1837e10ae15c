// SPDX-License-Identifier: Apache-2.0
// Published keys are fetched once a minute at most, one fetch at a time, and the last good ones stay in force.

import Foundation
import Postgres
import Synchronization
import Testing

@testable import Intake

@Suite struct JWKSCacheTests {
    private static let start = Date(timeIntervalSince1970: 1_700_000_000)
    private let server = KeyServer()

    private func cache() throws -> JWKSCache {
        let server = self.server
        return JWKSCache(try JWKSAddress("https://id.example.com/keys", at: "jwks")) { _, limit in
            try server.fetch(limit)
        }
    }

    private func keys(_ cache: JWKSCache, at second: TimeInterval) -> KeySet? {
        cache.known(at: Self.start + second).keys
    }

    @Test func `keys are fetched once a minute at most`() async throws {
        let cache = try self.cache()
        #expect(cache.isDue(at: Self.start) && self.keys(cache, at: 0) == nil)
        for second in [0, 1, 59] {
            await cache.refresh(now: Self.start + TimeInterval(second))
            #expect(self.server.count == 1)
        }
        #expect(self.keys(cache, at: 59)?.count == 1 && !cache.mayRefresh(at: Self.start + 59))
        await cache.refresh(now: Self.start + 60)
        #expect(self.server.count == 2)
        #expect(self.server.limits == [KeySet.maximumBytes, KeySet.maximumBytes])
    }

    /// A fetch that failed is not tried more often either.
    @Test func `a fetch that fails changes nothing`() async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        for (number, answer) in [nil, "", "<html>", #"{"keys": {}}"#, TestToken.keySet + "x"].enumerated() {
            self.server.answer(answer)
            let now = Self.start + TimeInterval(60 * (number + 1))
            await cache.refresh(now: now)
            #expect(cache.known(at: now).keys?.keys(named: "k1", for: .es256).count == 1)
            #expect(cache.known(at: now).isOutdated && !cache.mayRefresh(at: now + 59))
        }
        self.server.answer(TestToken.keySet)
        await cache.refresh(now: Self.start + 600)
        #expect(!cache.known(at: Self.start + 600).isOutdated && self.server.count == 7)
    }

    /// So a sender withdraws its keys.
    @Test(arguments: [#"{"keys": []}"#, #"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}, {}]}"#])
    func `a set without a key that can be used replaces the old one`(document: String) async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        #expect(self.keys(cache, at: 60)?.count == 1)
        self.server.answer(document)
        await cache.refresh(now: Self.start + 60)
        #expect(self.keys(cache, at: 60)?.count == 0 && !cache.known(at: Self.start + 60).isOutdated)
    }

    @Test func `keys that cannot be read again count for a day`() async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        self.server.answer(nil)
        await cache.refresh(now: Self.start + 86_000)
        #expect(self.keys(cache, at: 86_399) != nil)
        #expect(self.keys(cache, at: 86_400) == nil && cache.isDue(at: Self.start + 86_400))
        self.server.answer(TestToken.keySet)
        await cache.refresh(now: Self.start + 86_400)
        #expect(self.keys(cache, at: 86_400) != nil)
    }

    /// A clock that is corrected again and again would otherwise let forged tokens fetch as often.
    @Test func `a clock that was set back causes no fetch, and holds none up for longer than a pause`() async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        for second in [-1, -59, -61, -120, -3600, -86_400 * 365, -86_400 * 365 + 59] {
            let now = Self.start + TimeInterval(second)
            #expect(!cache.mayRefresh(at: now) && !cache.isDue(at: now), "\(second)")
            await cache.refresh(now: now)
            #expect(self.server.count == 1)
        }
        let now = Self.start - 86_400 * 365
        #expect(cache.mayRefresh(at: now + 60) && !cache.isDue(at: now + 599) && cache.isDue(at: now + 600))
        // Keys that a wrong clock read in the future do not count for longer.
        #expect(cache.known(at: now + 86_399).keys != nil && cache.known(at: now + 86_400).keys == nil)
    }

    @Test func `keys are due when they are old`() async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        #expect(!cache.isDue(at: Self.start + 599) && cache.isDue(at: Self.start + 600))
        self.server.answer(nil)
        await cache.refresh(now: Self.start + 600)
        #expect(!cache.isDue(at: Self.start + 659) && cache.isDue(at: Self.start + 660))
    }

    @Test func `one fetch runs at a time, and all who ask meanwhile wait for it`() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let server = self.server
        let address = try JWKSAddress("https://id.example.com/keys", at: "jwks")
        let cache = JWKSCache(address) { _, limit in
            for await _ in gate {}
            return try server.fetch(limit)
        }
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    // Long after the pause: only the fetch that is under way keeps these from another.
                    await cache.refresh(now: Self.start + TimeInterval(number * 100))
                    return cache.known(at: Self.start).keys != nil
                }
            }
            while cache.fetches.waiting(for: address.text) < 50 { await Task.yield() }
            opener.finish()
            for await hasKeys in group { #expect(hasKeys) }
        }
        #expect(self.server.count == 1)
    }

    /// A delivery waits for a fetch for some seconds at most.
    @Test func `the keys are not the newest while a fetch is under way`() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let (beginning, beginner) = AsyncStream<Void>.makeStream()
        let cache = JWKSCache(try JWKSAddress("https://id.example.com/keys", at: "jwks")) { _, _ in
            beginner.finish()
            for await _ in gate {}
            return Array(TestToken.keySet.utf8)
        }
        async let refreshed: Void = cache.refresh(now: Self.start)
        for await _ in beginning {}
        #expect(cache.known(at: Self.start).isOutdated)
        opener.finish()
        await refreshed
        #expect(!cache.known(at: Self.start).isOutdated)
    }

    /// It does not heed its cancellation either, as a client without a time limit may not.
    @Test func `a fetch that never ends has failed at its deadline`() async throws {
        let hanging = Mutex<[CheckedContinuation<Void, Never>]>([])
        let address = try JWKSAddress("https://id.example.com/keys", at: "jwks")
        let cache = JWKSCache(address, deadline: .milliseconds(1)) { _, _ in
            await withCheckedContinuation { continuation in hanging.withLock { $0.append(continuation) } }
            return Array(TestToken.keySet.utf8)
        }
        for number in 1...2 {
            let now = Self.start + TimeInterval(60 * number)
            await cache.refresh(now: now)
            #expect(cache.known(at: now).keys == nil && cache.known(at: now).isOutdated)
            // It would be true while a fetch is under way.
            #expect(!cache.mayRefresh(at: now) && cache.mayRefresh(at: now + 60))
        }
        let waiting = hanging.withLock { $0 }
        #expect(waiting.count == 2)
        for continuation in waiting { continuation.resume() }
    }

    @Test func `two sources of one sender share its keys`() async throws {
        let server = self.server
        let caches = JWKSCaches { _, limit in try server.fetch(limit) }
        let address = try JWKSAddress("https://id.example.com/keys", at: "jwks")
        let other = try JWKSAddress("https://id.example.com/other", at: "jwks")
        #expect(caches.cache(of: address) === caches.cache(of: address))
        #expect(caches.cache(of: address) !== caches.cache(of: other))
    }
}
