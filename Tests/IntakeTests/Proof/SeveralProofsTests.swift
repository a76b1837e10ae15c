// SPDX-License-Identifier: Apache-2.0
// A source with several proofs or several secrets: one that holds is enough, and it is said which.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SeveralProofsTests {
    private static let now: TimeInterval = 1_700_000_000
    private static let body = Array("{}".utf8)
    private static let bearerOrSignature = """
        {"any": [{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature"}, {"kind": "bearer"}]}
        """

    private func signature(_ secret: String) -> String {
        let key = SymmetricKey(data: Data(secret.utf8))
        return SigningKind.hexadecimal(HMAC<SHA256>.authenticationCode(for: Self.body, using: key))
    }

    @Test func `any of the proofs is enough, and the secret that matched is told`() async throws {
        let secrets = [
            "first-secret-of-four", "second-secret-of-four", "third-secret-of-four", "fourth-secret-of-four",
        ]
        .map { ProofBed.secret($0) }
        let bed = try await ProofBed(Self.bearerOrSignature, secrets: secrets)
        for secret in secrets {
            let text = secret.text.reveal()
            let byBearer = try bed.verify(["authorization": ["Bearer \(text)"]], body: Self.body, now: Self.now)
            #expect(byBearer == Proven(secretID: secret.id))
            let signed = ["x-signature": [self.signature(text)]]
            #expect(try bed.verify(signed, body: Self.body, now: Self.now) == Proven(secretID: secret.id))
        }
    }

    @Test func `a secret counts until its end`() async throws {
        let end = Date(timeIntervalSince1970: Self.now)
        for configuration in [Self.bearerOrSignature, #"{"kind": "bearer"}"#] {
            let bed = try await ProofBed(
                configuration,
                secrets: [ProofBed.secret("the-old-secret", notAfter: end), ProofBed.secret("the-new-secret")])
            let headers = ["authorization": ["Bearer the-old-secret"]]
            #expect(bed.refusal(headers, body: Self.body, now: Self.now - 1) == nil)
            #expect(bed.refusal(headers, body: Self.body, now: Self.now) == .credential)
        }
        let alone = try await ProofBed(
            #"{"kind": "bearer"}"#, secrets: [ProofBed.secret("the-old-secret", notAfter: end)])
        #expect(alone.refusal(["authorization": ["Bearer the-old-secret"]], body: [], now: Self.now) == .noSecret)
    }

    @Test(arguments: SigningKind.all)
    func `the secrets of every kind end`(kind: SigningKind) async throws {
        let end = Date(timeIntervalSince1970: Self.now)
        let bed = try await ProofBed(
            kind.configuration, secrets: [ProofBed.secret(kind.secret, notAfter: end)], keySet: TestToken.keySet)
        let headers = kind.sign(Self.body, Int64(Self.now) - 10, false).mapValues { [$0] }
        let refusal = bed.refusal(headers, body: Self.body, now: Self.now)
        // Published keys are no secret of the source.
        let isPublished = kind.configuration.contains("jwks")
        #expect(refusal == (isPublished ? nil : .noSecret))
        #expect(bed.refusal(headers, body: Self.body, now: Self.now - 1) == nil)
    }

    @Test func `without a secret nothing is proven`() async throws {
        for kind in SigningKind.all where !kind.configuration.contains("jwks") {
            let bed = try await ProofBed(kind.configuration, secrets: [])
            let headers = kind.sign(Self.body, Int64(Self.now), false).mapValues { [$0] }
            #expect(bed.refusal(headers, body: Self.body, now: Self.now) == .noSecret, "\(kind.name)")
        }
    }

    @Test func `a fifth secret and an empty one are refused`() async throws {
        let five = (1...5).map { ProofBed.secret("secret-number-\($0)") }
        await #expect(throws: InvalidValue.self) { try await ProofBed(#"{"kind": "bearer"}"#, secrets: five) }
        for configuration in [#"{"kind": "bearer"}"#, #"{"kind": "basic", "user": "u"}"#, Self.bearerOrSignature] {
            await #expect(throws: InvalidValue.self) { try await ProofBed(configuration, secret: "") }
        }
    }

    @Test func `of several failures the one that came farthest is told`() async throws {
        let bed = try await ProofBed(Self.bearerOrSignature, secret: "the-secret-of-this")
        #expect(bed.refusal([:], body: Self.body, now: Self.now) == .missing)
        #expect(bed.refusal(["x-signature": ["zz"]], body: Self.body, now: Self.now) == .malformed)
        #expect(bed.refusal(["authorization": ["Bearer x"]], body: Self.body, now: Self.now) == .credential)
        let both = ["x-signature": [self.signature("another")], "authorization": ["Basic x"]]
        #expect(bed.refusal(both, body: Self.body, now: Self.now) == .signature)
    }

    @Test func `a delivery's id is told where the proof covers it`() async throws {
        for kind in SigningKind.all {
            let bed = try await ProofBed(kind.configuration, secret: kind.secret, keySet: TestToken.keySet)
            let headers = kind.sign(Self.body, Int64(Self.now), false)
            let proven = try bed.verify(headers.mapValues { [$0] }, body: Self.body, now: Self.now)
            #expect(proven.deliveryID == headers["webhook-id"] ?? headers["x-id"], "\(kind.name)")
        }
    }
}
