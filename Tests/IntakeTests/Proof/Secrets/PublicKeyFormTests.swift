// SPDX-License-Identifier: Apache-2.0
// A public key is known to everybody, so it never counts as a secret: neither alone nor beside Standard Webhooks.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct PublicKeyFormTests {
    private static let now: TimeInterval = 1_700_000_000
    private static let body = Array("{}".utf8)
    private static let key = Curve25519.Signing.PrivateKey()
    private static let publicText = "whpk_\(key.publicKey.rawRepresentation.base64EncodedString())"
    private static let secretText = "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())"
    private static let jwk = #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#

    /// Each with the headers of somebody who signs with a text.
    private static let textProofs: [(proof: String, sign: @Sendable (String) -> [String: String])] = [
        (#"{"kind": "bearer"}"#, { ["authorization": "Bearer \($0)"] }),
        (#"{"kind": "header", "header": "x-key"}"#, { ["x-key": $0] }),
        (
            #"{"kind": "basic", "user": "u"}"#,
            { ["authorization": "Basic \(Data("u:\($0)".utf8).base64EncodedString())"] }
        ),
        (
            #"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature"}"#,
            { text in
                let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(text.utf8)))
                return ["x-signature": SigningKind.hexadecimal(code)]
            }
        ),
        (
            #"{"kind": "jwt", "header": "x-token", "algorithms": ["HS256"], "body_hash": "none"}"#,
            { ["x-token": TestToken(algorithm: "HS256", claims: ["exp": "1700000300"]).signed(by: $0)] }
        ),
    ]

    private static func beside(_ proof: String) -> String { #"{"any": [{"kind": "standard-webhooks"}, \#(proof)]}"# }

    private func configuration(_ text: String) throws -> ProofConfiguration {
        try ProofConfiguration(try JSONValue(parsing: Array(text.utf8)))
    }

    @Test func `a public key beside Standard Webhooks proves by its signature alone`() async throws {
        for written in [Self.publicText, "v1a,\(Self.publicText)", "\(Self.secretText)|\(Self.publicText)"] {
            for (proof, sign) in Self.textProofs {
                let secrets = [ProofBed.secret(written), ProofBed.secret("a-secret-of-the-sender")]
                let bed = try await ProofBed(Self.beside(proof), secrets: secrets)
                let right = sign("a-secret-of-the-sender").mapValues { [$0] }
                #expect(try bed.verify(right, body: Self.body, now: Self.now).secretID == secrets[1].id, "\(proof)")
                let forged = bed.refusal(sign(written).mapValues { [$0] }, body: Self.body, now: Self.now)
                #expect([.credential, .signature].contains(forged), "\(proof)")
                let signature = try Self.key.signature(for: Array("msg_1.1700000000.{}".utf8)).base64EncodedString()
                let headers = [
                    "webhook-id": ["msg_1"], "webhook-timestamp": ["1700000000"],
                    "webhook-signature": ["v1a,\(signature)"],
                ]
                #expect(try bed.verify(headers, body: Self.body, now: Self.now).secretID == secrets[0].id)
            }
        }
    }

    @Test func `a proof that is left without a secret is refused`() async throws {
        for (proof, _) in Self.textProofs {
            await #expect(throws: InvalidValue.self) {
                try await ProofBed(Self.beside(proof), secret: Self.publicText)
            }
        }
        await #expect(throws: Never.self) {
            try await ProofBed(#"{"kind": "standard-webhooks"}"#, secret: Self.publicText)
        }
    }

    @Test func `a public key is no secret of any other proof`() async throws {
        for (proof, _) in Self.textProofs {
            for text in [Self.publicText, "v1a,\(Self.publicText)", "\(Self.secretText)|\(Self.publicText)", Self.jwk] {
                await #expect(throws: InvalidValue.self) {
                    try await ProofBed(
                        proof, secrets: [ProofBed.secret(text), ProofBed.secret("a-secret-of-the-sender")])
                }
                let error = #expect(throws: InvalidValue.self) {
                    try SecretText(Array(text.utf8), for: try self.configuration(proof))
                }
                #expect(error?.field == "secret" && error?.reason.contains(text) == false)
            }
        }
    }

    @Test func `beside Standard Webhooks its own form alone is taken`() async throws {
        let pem = try #require(TokenVectors.publicKeys["Ed25519"])
        for (proof, _) in Self.textProofs {
            let both = try self.configuration(Self.beside(proof))
            for text in [Self.publicText, "v1a,\(Self.publicText)", "\(Self.secretText)|\(Self.publicText)"] {
                let secret = try SecretText(Array(text.utf8), for: both)
                #expect(secret.text.reveal() == text && secret.warning == nil)
            }
            for text in [
                pem, pem.replacing("\n", with: " "), "-----begin rsa public key-----", Self.jwk, " \(Self.jwk)",
                #"{ "kty" : "RSA" }"#, #"{"kid": "1", "kty": "EC"}"#, #"{"keys":[\#(Self.jwk)]}"#, "whpk_AAAA",
                "WHPK_\(Self.publicText.dropFirst(5))", "\(Self.publicText)|", "a-secret,\(Self.publicText)",
            ] {
                #expect(throws: InvalidValue.self, "\(text)") { try SecretText(Array(text.utf8), for: both) }
                await #expect(throws: InvalidValue.self, "\(text)") {
                    try await ProofBed(
                        Self.beside(proof), secrets: [ProofBed.secret(text), ProofBed.secret("a-secret-of-the-sender")])
                }
            }
        }
    }

    /// A list of Standard Webhooks is one secret with several keys, and each costs the time of a check.
    @Test func `Standard Webhooks has four keys in all`() async throws {
        let two = "\(Self.secretText)|\(Self.secretText)"
        let texts = [two, "\(two)|\(Self.publicText)"]
        for configuration in [#"{"kind": "standard-webhooks"}"#, Self.beside(#"{"kind": "bearer"}"#)] {
            await #expect(throws: Never.self) {
                try await ProofBed(configuration, secrets: [two, two].map { ProofBed.secret($0) })
            }
            await #expect(throws: InvalidValue.self) {
                try await ProofBed(configuration, secrets: texts.map { ProofBed.secret($0) })
            }
        }
    }
}
