// SPDX-License-Identifier: Apache-2.0
// The scheme `v1a` of Standard Webhooks: signatures by a key pair, beside those by a secret and never in their place.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct PublicSignatureTests {
    private static let now: TimeInterval = 1_700_000_000
    private static let key = Curve25519.Signing.PrivateKey()
    private static let secret = SymmetricKey(data: Data(repeating: 7, count: 32))
    private static let body = Array("{}".utf8)
    private static let message = Array("msg_1.1700000000.{}".utf8)

    private static var publicText: String { "whpk_\(Self.key.publicKey.rawRepresentation.base64EncodedString())" }
    private static var secretText: String { "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())" }

    private func refusal(_ secrets: [String], _ signature: String) async throws -> ProofFailure.Kind? {
        let bed = try await ProofBed(
            #"{"kind": "standard-webhooks"}"#, secrets: secrets.map { ProofBed.secret($0) })
        let headers = [
            "webhook-id": ["msg_1"], "webhook-timestamp": ["1700000000"], "webhook-signature": [signature],
        ]
        return bed.refusal(headers, body: Self.body, now: Self.now)
    }

    private static func signed(by key: Curve25519.Signing.PrivateKey = key) throws -> String {
        try "v1a,\(key.signature(for: Self.message).base64EncodedString())"
    }

    private static var code: String {
        StandardWebhooksProof.sign(id: "msg_1", timestamp: 1_700_000_000, body: Self.body, key: Self.secret)
    }

    @Test func `either scheme is enough for a source with both`() async throws {
        let both = [Self.secretText, Self.publicText]
        for signature in [try Self.signed(), Self.code, "\(Self.code) \(try Self.signed())"] {
            #expect(try await self.refusal(both, signature) == nil)
        }
        let other = try Self.signed(by: Curve25519.Signing.PrivateKey())
        #expect(try await self.refusal(both, other) == .signature)
        #expect(try await self.refusal(both, "\(other) \(try Self.signed())") == nil)
        #expect(try await self.refusal(["v1a,\(Self.publicText)"], try Self.signed()) == nil)
    }

    @Test func `one scheme is never taken for the other`() async throws {
        let signature = try Self.signed().dropFirst(4)
        let code = Self.code.dropFirst(3)
        let both = [Self.secretText, Self.publicText]
        for wrong in ["v1,\(signature)", "v1a,\(code)", "v1b,\(signature)", "\(signature)", "V1A,\(signature)"] {
            #expect(try await self.refusal(both, wrong) == .malformed, "\(wrong.prefix(8))")
        }
        #expect(try await self.refusal([Self.publicText], Self.code) == .malformed)
        #expect(try await self.refusal([Self.secretText], try Self.signed()) == .malformed)
        // The public key as a shared secret.
        let key = SymmetricKey(data: Self.key.publicKey.rawRepresentation)
        let forged = StandardWebhooksProof.sign(id: "msg_1", timestamp: 1_700_000_000, body: Self.body, key: key)
        #expect(try await self.refusal([Self.publicText], forged) == .malformed)
        #expect(try await self.refusal(both, forged) == .signature)
    }

    @Test func `a third signature by a key pair is not tried`() async throws {
        let wrong = try Self.signed(by: Curve25519.Signing.PrivateKey())
        #expect(try await self.refusal([Self.publicText], "\(wrong) \(try Self.signed())") == nil)
        #expect(try await self.refusal([Self.publicText], "\(wrong) \(wrong) \(try Self.signed())") == .signature)
    }
}
