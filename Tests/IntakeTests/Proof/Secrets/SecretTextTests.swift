// SPDX-License-Identifier: Apache-2.0
// A secret made by the sender is taken as it is copied. A short one is warned of, and a useless one refused.

import Model
import Testing

@testable import Intake

@Suite struct SecretTextTests {
    private func configuration(_ text: String) throws -> ProofConfiguration {
        try ProofConfiguration(try JSONValue(parsing: Array(text.utf8)))
    }

    @Test(arguments: [
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "v1,whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "v1,whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=|v1,whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        "v1,whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=|v1,whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ])
    func `every form of a Standard Webhooks secret is understood`(text: String) async throws {
        let secret = try SecretText(Array(" \t\(text)\r\n".utf8), for: .standard)
        #expect(secret.text.reveal() == text && secret.warning == nil)
        let bed = try await ProofBed(#"{"kind": "standard-webhooks"}"#, secret: secret.text.reveal())
        let headers = [
            "webhook-id": ["msg_kat1"], "webhook-timestamp": ["1700000000"],
            "webhook-signature": ["v1,I8xKyDG5oild2viBB6bIg1lvHfUiJREdWN5H8v+wG8Q="],
        ]
        #expect(bed.refusal(headers, body: TokenVectors.body, now: 1_700_000_000) == nil)
    }

    @Test(arguments: [
        "", " \n", "whsec_", "whsec_AAAA", "whsec_AAECAwQFBgcICQoLDA0O", "not base64!", "v1,AAECAwQFBgcICQoLDA0ODw==",
        "v2,whsec_AAECAwQFBgcICQoLDA0ODw==", "whpk_AAAA", "whpk_AAECAwQFBgcICQoLDA0ODw==",
        "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_AAECAwQFBgcICQoLDA0ODw==|",
        "whsec_AAECAwQFBgcICQoLDA0ODw==|whsec_AAAA", "whsec_AAECAwQFBgcICQoLDA0ODw==\nwhsec_AAECAwQFBgcICQoLDA0ODw==",
        "v1a,whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ])
    func `what is no Standard Webhooks secret is refused, and not shown`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try SecretText(Array(text.utf8), for: .standard) }
        #expect(error?.field == "secret" && error?.reason.contains("AAECAwQFBgcICQ") == false)
    }

    @Test func `other proofs take the text as it is, and a short one is warned of`() throws {
        for configuration in [
            #"{"kind": "bearer"}"#, #"{"kind": "header", "header": "x"}"#, #"{"kind": "basic", "user": "u"}"#,
            #"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x"}"#,
            #"{"kind": "jwt", "header": "x", "algorithms": ["HS256"], "body_hash": "none"}"#,
            #"{"any": [{"kind": "standard-webhooks"}, {"kind": "bearer"}]}"#,
        ] {
            let proof = try self.configuration(configuration)
            for text in ["changeit", "15-characters--", "whsec_x"] {
                let secret = try SecretText(Array("\(text)\n".utf8), for: proof)
                #expect(secret.text.reveal() == text && secret.warning == .short)
            }
            for text in ["16-characters---", "whsec_madeUpStripe0001", "with a blank inside it", "żółć-żółć-żółć-żółć"]
            {
                let secret = try SecretText(Array(text.utf8), for: proof)
                #expect(secret.text.reveal() == text && secret.warning == nil)
            }
        }
    }

    @Test func `what is no line of text is refused`() throws {
        let proof = try self.configuration(#"{"kind": "bearer"}"#)
        let key = try #require(TokenVectors.publicKeys["RSA"])
        for bytes in [
            [], [0x20, 0x0A], [0xFF, 0xFE], Array("a\u{0}b".utf8), Array("first\nsecond".utf8), Array(key.utf8),
            Array("-----BEGIN PRIVATE KEY-----".utf8), [UInt8](repeating: 0x61, count: 4097),
        ] {
            #expect(throws: InvalidValue.self) { try SecretText(bytes, for: proof) }
        }
    }

    @Test func `a source with published keys takes no secret`() throws {
        let proof = try self.configuration(
            """
            {"kind": "jwt", "body": "whole", "algorithms": ["RS256"], "jwks": "https://a.example/k", "issuer": "i",
             "require": ["x"]}
            """)
        #expect(throws: InvalidValue.self) { try SecretText(Array("a-secret-for-nothing".utf8), for: proof) }
    }

    /// A source with several proofs may have secrets that only one of them can use.
    @Test func `a secret of another proof does no harm to Standard Webhooks`() async throws {
        let both = #"{"any": [{"kind": "standard-webhooks"}, {"kind": "bearer"}]}"#
        let standard = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        let secrets = [ProofBed.secret("a bearer's secret!"), ProofBed.secret(standard)]
        let bed = try await ProofBed(both, secrets: secrets)
        let headers = [
            "webhook-id": ["msg_kat1"], "webhook-timestamp": ["1700000000"],
            "webhook-signature": ["v1,I8xKyDG5oild2viBB6bIg1lvHfUiJREdWN5H8v+wG8Q="],
        ]
        let proven = try bed.verify(headers, body: TokenVectors.body, now: 1_700_000_000)
        #expect(proven == Proven(secretID: secrets[1].id, deliveryID: "msg_kat1"))
        let bearer = ["authorization": ["Bearer a bearer's secret!"]]
        #expect(try bed.verify(bearer, body: [], now: 0).secretID == secrets[0].id)
        await #expect(throws: InvalidValue.self) {
            try await ProofBed(#"{"kind": "standard-webhooks"}"#, secrets: secrets)
        }
    }
}
