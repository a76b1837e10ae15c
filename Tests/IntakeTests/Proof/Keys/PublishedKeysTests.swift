// SPDX-License-Identifier: Apache-2.0
// A token by a key that is not known yet is proven once the sender's keys were fetched, and no forger hinders that.

import Crypto
import Foundation
import Model
import Synchronization
import Testing

@testable import Intake

@Suite struct PublishedKeysTests {
    private static let start = Date(timeIntervalSince1970: 1_700_000_000)
    private let server = KeyServer()

    private static let tokenProof = """
        {"kind": "jwt", "header": "x-token", "algorithms": ["ES256"], "jwks": "https://id.example.com/keys",
         "issuer": "any", "expiry": "optional", "body_hash": {"claim": "hash", "encoding": "hex"}}
        """

    private func proof(_ configuration: String = tokenProof, secrets: [ProofSecret] = []) throws -> DeliveryProof {
        let server = self.server
        let configuration = try ProofConfiguration(try JSONValue(parsing: Array(configuration.utf8)))
        return try DeliveryProof(
            configuration, secrets: secrets, keys: JWKSCaches { _, limit in try server.fetch(limit) })
    }

    private func failure(
        _ proof: DeliveryProof, _ token: String, _ more: [String: String] = [:], at second: TimeInterval
    ) -> ProofFailure? {
        let headers = more.merging(["x-token": token]) { one, _ in one }
        do {
            _ = try proof.verify(
                headers: { headers[$0].map { [$0] } ?? [] }, body: [], now: Self.start + second)
            return nil
        } catch {
            return error
        }
    }

    private static func token(keyID: String? = "k1") -> TestToken {
        let hash = SigningKind.hexadecimal(SHA256.hash(data: [UInt8]()))
        return TestToken(keyID: keyID, claims: ["hash": "\"\(hash)\""])
    }

    /// The sender has new keys: the first token by one of them costs one fetch, and is proven then.
    @Test func `an unknown key's name leads to one fetch`() async throws {
        let proof = try self.proof()
        let first = try #require(self.failure(proof, Self.token().signed(), at: 0))
        #expect(first.kind == .keysUnavailable && proof.mayHoldWithNewKeys(first, now: Self.start))
        await proof.refreshKeys(now: Self.start)
        #expect(self.failure(proof, Self.token().signed(), at: 0) == nil)

        // For the delivery that the keys were fetched for, they are the newest.
        let token = Self.token(keyID: "k2").signed()
        let unknown = try #require(self.failure(proof, token, at: 0))
        #expect(unknown.kind == .key && !proof.mayHoldWithNewKeys(unknown, now: Self.start))
        #expect(proof.mayHoldWithNewKeys(unknown, now: Self.start + 60))
        self.server.answer(TestToken.keySet.replacing(#""k1""#, with: #""k2""#))
        await proof.refreshKeys(now: Self.start + 60)
        #expect(self.failure(proof, token, at: 60) == nil && self.server.count == 2)

        // While the sender's keys cannot be fetched, an unknown name is no forgery yet.
        self.server.answer(nil)
        await proof.refreshKeys(now: Self.start + 120)
        #expect(self.failure(proof, Self.token(keyID: "k3").signed(), at: 120)?.kind == .keysUnavailable)
        let forged = TestToken(keyID: "k2", claims: [:]).signed(by: P256.Signing.PrivateKey())
        let refusal = try #require(self.failure(proof, forged, at: 180))
        #expect(refusal.kind == .signature && !proof.mayHoldWithNewKeys(refusal, now: Self.start + 180))
    }

    /// Otherwise one forged token a minute would make the sender's new keys worth nothing.
    @Test(arguments: ["k2", nil])
    func `a token by a newer key is told to come again while the pause runs`(keyID: String?) async throws {
        let proof = try self.proof()
        await proof.refreshKeys(now: Self.start)
        let forged = Self.token(keyID: "forged").signed(by: P256.Signing.PrivateKey())
        let failure = try #require(self.failure(proof, forged, at: 100))
        #expect(proof.mayHoldWithNewKeys(failure, now: Self.start + 100))
        await proof.refreshKeys(now: Self.start + 100)
        #expect(self.failure(proof, forged, at: 100)?.kind == .key)

        let newer = P256.Signing.PrivateKey()
        let token = Self.token(keyID: keyID).signed(by: newer)
        self.server.answer(TestToken.keySet(of: newer.publicKey).replacing(#""k1""#, with: "\"\(keyID ?? "k9")\""))
        for second in [100.5, 101, 159] {
            let failure = try #require(self.failure(proof, token, at: second))
            #expect(failure.kind == .keysUnavailable)
            #expect(!proof.mayHoldWithNewKeys(failure, now: Self.start + second))
        }
        let late = try #require(self.failure(proof, token, at: 160))
        #expect(proof.mayHoldWithNewKeys(late, now: Self.start + 160))
        await proof.refreshKeys(now: Self.start + 160)
        #expect(self.failure(proof, token, at: 160) == nil && self.server.count == 3)
    }

    /// A sender that names no keys has new ones, too.
    @Test func `a token without a key's name that no key fits leads to a fetch`() async throws {
        let proof = try self.proof()
        await proof.refreshKeys(now: Self.start)
        let newer = P256.Signing.PrivateKey()
        let token = Self.token(keyID: nil).signed(by: newer)
        let failure = try #require(self.failure(proof, token, at: 60))
        #expect(failure.kind == .key && proof.mayHoldWithNewKeys(failure, now: Self.start + 60))
        self.server.answer(TestToken.keySet(of: newer.publicKey))
        await proof.refreshKeys(now: Self.start + 60)
        #expect(self.failure(proof, token, at: 60) == nil)
    }

    @Test func `eight keys are tried for a token without a key's name`() async throws {
        let keys = (0..<9).map { _ in P256.Signing.PrivateKey() }
        let sets = keys.map { TestToken.keySet(of: $0.publicKey).dropFirst(10).dropLast(2) }
        self.server.answer("{\"keys\": [\(sets.joined(separator: ","))]}")
        let proof = try self.proof()
        await proof.refreshKeys(now: Self.start)
        for (number, key) in keys.enumerated() {
            let failure = self.failure(proof, Self.token(keyID: nil).signed(by: key), at: 0)
            #expect(failure?.kind == (number < 8 ? nil : .key), "key \(number)")
        }
        // All have one name, and of those four are tried.
        #expect(self.failure(proof, Self.token().signed(by: keys[3]), at: 0) == nil)
        #expect(self.failure(proof, Self.token().signed(by: keys[4]), at: 0)?.kind == .signature)
    }

    @Test func `keys that were read more than a day ago prove nothing`() async throws {
        let proof = try self.proof()
        await proof.refreshKeys(now: Self.start)
        self.server.answer(nil)
        await proof.refreshKeys(now: Self.start + 86_000)
        #expect(self.failure(proof, Self.token().signed(), at: 86_399) == nil)
        let failure = try #require(self.failure(proof, Self.token().signed(), at: 86_400))
        #expect(failure.kind == .keysUnavailable && proof.mayHoldWithNewKeys(failure, now: Self.start + 86_400))
    }

    @Test func `keys that the sender has withdrawn prove nothing`() async throws {
        let proof = try self.proof()
        await proof.refreshKeys(now: Self.start)
        self.server.answer(#"{"keys": []}"#)
        await proof.refreshKeys(now: Self.start + 600)
        #expect(self.failure(proof, Self.token().signed(), at: 600)?.kind == .key)
    }

    /// Of the failures of several proofs one is told, and it may be another one.
    @Test(arguments: [
        (#"{"kind": "bearer"}"#, ["authorization": "Bearer nobody's"], ProofFailure.Kind.credential),
        (
            #"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature"}"#,
            ["x-signature": String(repeating: "0", count: 64)], .signature
        ),
    ])
    func `another proof's failure does not hide that keys are wanting`(
        other: String, headers: [String: String], kind: ProofFailure.Kind
    ) async throws {
        for list in ["\(Self.tokenProof), \(other)", "\(other), \(Self.tokenProof)"] {
            self.server.answer(TestToken.keySet)
            let proof = try self.proof("{\"any\": [\(list)]}", secrets: [ProofBed.secret("a-secret-of-the-sender")])
            await proof.refreshKeys(now: Self.start)
            let token = Self.token(keyID: "k2").signed()
            let failure = try #require(self.failure(proof, token, headers, at: 60))
            #expect(failure.kind == kind && proof.mayHoldWithNewKeys(failure, now: Self.start + 60))
            self.server.answer(TestToken.keySet.replacing(#""k1""#, with: #""k2""#))
            await proof.refreshKeys(now: Self.start + 60)
            #expect(self.failure(proof, token, headers, at: 60) == nil)
            // Without a token no key is wanting.
            let none = try #require(self.failure(proof, "", headers, at: 200))
            #expect(none.kind == kind && !proof.mayHoldWithNewKeys(none, now: Self.start + 200))
        }
    }

    private static let several = """
        {"any": [\(tokenProof),
                 \(tokenProof.replacing("x-token", with: "x-other").replacing("/keys", with: "/others")),
                 \(tokenProof.replacing("x-token", with: "x-third"))]}
        """

    /// One address that does not answer would otherwise keep a delivery from the keys of the next.
    @Test func `the keys of several addresses are fetched at once, and those of one address once`() async throws {
        let asked = Mutex<[String]>([])
        let configuration = try ProofConfiguration(try JSONValue(parsing: Array(Self.several.utf8)))
        let addresses = configuration.keyAddresses.map(\.text)
        #expect(addresses == ["https://id.example.com/keys", "https://id.example.com/others"])
        // Each waits for the other. One after the other, the first would fail at its deadline.
        let caches = JWKSCaches(deadline: .seconds(60)) { address, _ in
            asked.withLock { $0.append(address.text) }
            while asked.withLock({ $0.count }) < 2 {
                try Task.checkCancellation()
                await Task.yield()
            }
            return Array(TestToken.keySet.utf8)
        }
        let proof = try DeliveryProof(configuration, secrets: [], keys: caches)
        await proof.refreshKeys(now: Self.start)
        for address in configuration.keyAddresses {
            #expect(caches.cache(of: address).known(at: Self.start).keys?.count == 1, "\(address)")
        }
        #expect(asked.withLock { $0.sorted() } == addresses)
    }
}
