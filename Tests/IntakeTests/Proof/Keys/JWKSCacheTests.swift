// SPDX-License-Identifier: Apache-2.0
// Published keys are fetched once a minute at most, one fetch at a time, and the last good ones stay in force.

import Crypto
import Foundation
import Model
import Postgres
import Synchronization
import Testing

@testable import Intake

/// A sender's address of keys: what it answers, and how often it was asked.
private final class KeyServer: Sendable {
    private let answer = Mutex<String?>(TestToken.keySet)
    private let asked = Mutex<[Int]>([])

    var count: Int { self.asked.withLock { $0.count } }
    var limits: [Int] { self.asked.withLock { $0 } }

    /// Nil: it does not answer.
    func answer(_ text: String?) { self.answer.withLock { $0 = text } }

    func fetch(_ limit: Int) throws -> [UInt8] {
        self.asked.withLock { $0.append(limit) }
        guard let text = self.answer.withLock({ $0 }) else { throw NoAnswer() }
        return Array(text.utf8)
    }
}

@Suite struct JWKSCacheTests {
    private static let start = Date(timeIntervalSince1970: 1_700_000_000)
    private let server = KeyServer()

    private func cache() throws -> JWKSCache {
        let server = self.server
        return JWKSCache(try JWKSAddress("https://id.example.com/keys", at: "jwks")) { _, limit in
            try server.fetch(limit)
        }
    }

    @Test func `keys are fetched once a minute at most`() async throws {
        let cache = try self.cache()
        #expect(cache.isDue(at: Self.start) && cache.known.keys == nil)
        for second in [0, 1, 59] {
            await cache.refresh(now: Self.start + TimeInterval(second))
            #expect(self.server.count == 1)
        }
        #expect(cache.known.keys?.count == 1 && !cache.mayRefresh(at: Self.start + 59))
        await cache.refresh(now: Self.start + 60)
        #expect(self.server.count == 2)
        #expect(self.server.limits == [KeySet.maximumBytes, KeySet.maximumBytes])
    }

    /// A fetch that failed is not tried more often either.
    @Test func `a fetch that fails changes nothing`() async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        for (number, answer) in [nil, "", "<html>", #"{"keys": []}"#, TestToken.keySet + "x"].enumerated() {
            self.server.answer(answer)
            let now = Self.start + TimeInterval(60 * (number + 1))
            await cache.refresh(now: now)
            #expect(cache.known.keys?.keys(named: "k1", for: .es256).count == 1)
            #expect(cache.known.isOutdated && !cache.mayRefresh(at: now + 59))
        }
        self.server.answer(TestToken.keySet)
        await cache.refresh(now: Self.start + 600)
        #expect(!cache.known.isOutdated && self.server.count == 7)
    }

    @Test func `keys are due when they are old, and a clock that was set back holds nothing up`() async throws {
        let cache = try self.cache()
        await cache.refresh(now: Self.start)
        #expect(!cache.isDue(at: Self.start + 599) && cache.isDue(at: Self.start + 600))
        #expect(cache.isDue(at: Self.start - 86_400))
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
                    return cache.known.keys != nil
                }
            }
            while cache.fetches.waiting(for: address.text) < 50 { await Task.yield() }
            opener.finish()
            for await hasKeys in group { #expect(hasKeys) }
        }
        #expect(self.server.count == 1)
    }

    @Test func `two sources of one sender share its keys`() async throws {
        let server = self.server
        let caches = JWKSCaches { _, limit in try server.fetch(limit) }
        let address = try JWKSAddress("https://id.example.com/keys", at: "jwks")
        let other = try JWKSAddress("https://id.example.com/other", at: "jwks")
        #expect(caches.cache(of: address) === caches.cache(of: address))
        #expect(caches.cache(of: address) !== caches.cache(of: other))
    }

    private static let configuration = """
        {"kind": "jwt", "header": "x-token", "algorithms": ["ES256"], "jwks": "https://id.example.com/keys",
         "expiry": "optional", "body_hash": {"claim": "hash", "encoding": "hex"}}
        """

    private func proof() throws -> DeliveryProof {
        let server = self.server
        let configuration = try ProofConfiguration(try JSONValue(parsing: Array(Self.configuration.utf8)))
        return try DeliveryProof(configuration, secrets: [], keys: JWKSCaches { _, limit in try server.fetch(limit) })
    }

    private func failure(_ proof: DeliveryProof, _ token: String, at second: TimeInterval) -> ProofFailure? {
        do {
            _ = try proof.verify(headers: { $0 == "x-token" ? [token] : [] }, body: [], now: Self.start + second)
            return nil
        } catch {
            return error
        }
    }

    /// The sender has new keys: the first token by one of them costs one fetch, and is proven then.
    @Test func `an unknown key's name leads to one fetch`() async throws {
        let proof = try self.proof()
        let hash = SigningKind.hexadecimal(SHA256.hash(data: [UInt8]()))
        var token = TestToken(claims: ["hash": "\"\(hash)\""])
        let first = try #require(self.failure(proof, token.signed(), at: 0))
        #expect(first.kind == .keysUnavailable && proof.mayHoldWithNewKeys(first, now: Self.start))
        await proof.refreshKeys(now: Self.start)
        #expect(self.failure(proof, token.signed(), at: 0) == nil)

        token.header["kid"] = #""k2""#
        let unknown = try #require(self.failure(proof, token.signed(), at: 1))
        #expect(unknown.kind == .key && !proof.mayHoldWithNewKeys(unknown, now: Self.start + 1))
        #expect(proof.mayHoldWithNewKeys(unknown, now: Self.start + 60))
        self.server.answer(TestToken.keySet.replacing("k1", with: "k2"))
        await proof.refreshKeys(now: Self.start + 60)
        #expect(self.failure(proof, token.signed(), at: 60) == nil && self.server.count == 2)

        // While the sender's keys cannot be fetched, an unknown name is no forgery yet.
        token.header["kid"] = #""k3""#
        self.server.answer(nil)
        await proof.refreshKeys(now: Self.start + 120)
        #expect(self.failure(proof, token.signed(), at: 120)?.kind == .keysUnavailable)
        let forged = TestToken(keyID: "k2", claims: [:]).signed(by: P256.Signing.PrivateKey())
        let refusal = try #require(self.failure(proof, forged, at: 180))
        #expect(refusal.kind == .signature && !proof.mayHoldWithNewKeys(refusal, now: Self.start + 180))
    }
}
