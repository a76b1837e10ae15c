// SPDX-License-Identifier: Apache-2.0
// Tokens count only by the source's algorithms and keys, with its claims, and for the body they came with.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TokenProofTests {
    private static let now = TokenVectors.now

    /// What a proof of `TokenVectors` says beside its algorithms and keys.
    private static let claims = """
        "issuer": "https://id.example.com", "audience": "dialtone",
        "body_hash": {"claim": "request_body_sha256", "encoding": "hex"}
        """

    private static func configuration(_ algorithms: String, _ keys: String) -> String {
        """
        {"kind": "jwt", "header": "authorization", "scheme": "Bearer", "algorithms": [\(algorithms)], \(keys),
         \(claims)}
        """
    }

    private static let published = #""jwks": "https://id.example.com/keys""#

    private func refusal(_ bed: ProofBed, _ token: String, now: TimeInterval = now) -> ProofFailure.Kind? {
        bed.refusal(["authorization": ["Bearer \(token)"]], body: TokenVectors.body, now: now)
    }

    @Test(arguments: TokenVectors.algorithms)
    func `tokens of another implementation are accepted by a key set and by a key in PEM`(
        algorithm: String, kind: String
    ) async throws {
        let token = try #require(TokenVectors.tokens[algorithm])
        let pem = try #require(TokenVectors.publicKeys[kind]).replacing("\n", with: #"\n"#)
        let bySet = try await ProofBed(
            Self.configuration(#""\#(algorithm)""#, Self.published), secrets: [], keySet: TokenVectors.keySet)
        let byKey = try await ProofBed(
            Self.configuration(#""\#(algorithm)""#, #""public_key": "\#(pem)""#), secrets: [])
        for bed in [bySet, byKey] {
            #expect(self.refusal(bed, token) == nil)
            #expect(self.refusal(bed, token, now: Self.now + 359) == nil)
            #expect(self.refusal(bed, token, now: Self.now + 360) == .expired)
            #expect(self.refusal(bed, token, now: Self.now - 61) == .ahead)
            for (other, token) in TokenVectors.tokens where other != algorithm {
                #expect(self.refusal(bed, token) == .algorithm, "\(other)")
            }
        }
    }

    /// Every other key of the set is of another kind, or of another name.
    @Test(arguments: TokenVectors.algorithms)
    func `a changed token is refused`(algorithm: String, kind: String) async throws {
        let token = try #require(TokenVectors.tokens[algorithm])
        let all = TokenVectors.algorithms.map { #""\#($0.0)""# }.joined(separator: ",")
        let bed = try await ProofBed(
            Self.configuration(all, Self.published), secrets: [], keySet: TokenVectors.keySet)
        #expect(self.refusal(bed, token) == nil)
        for place in stride(from: 0, to: token.utf8.count, by: 3) {
            var bytes = Array(token.utf8)
            bytes[place] = bytes[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(self.refusal(bed, String(decoding: bytes, as: UTF8.self)) != nil, "letter \(place)")
        }
    }

    @Test func `the documented token by a shared secret is accepted`() async throws {
        let token = """
            eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsxIn0.eyJyZXF1ZXN0X2JvZHlfc2hhMjU2IjoiWVU3dDhubGlmdGFSTFVX\
            WGRPSTArZHd1VStaVXM1TGRIQkR0SUtCTXVPQT0ifQ.wTFwB1MSDamODou6sfJZpMM7nsKyzR6FuP9m3adcHtc
            """
        let configuration = """
            {"kind": "jwt", "header": "authorization", "scheme": "Bearer", "algorithms": ["HS256"],
             "expiry": "optional", "body_hash": {"claim": "request_body_sha256", "encoding": "base64"}}
            """
        let bed = try await ProofBed(configuration, secret: "sec_kat")
        #expect(self.refusal(bed, token) == nil)
        #expect(self.refusal(try await ProofBed(configuration, secret: "sec_cat"), token) == .signature)
        let inHex = try await ProofBed(configuration.replacing("base64", with: "hex"), secret: "sec_kat")
        #expect(self.refusal(inHex, token) == .bodyHash)
    }

    /// The best-known holes of token libraries.
    @Test func `the token does not choose its algorithm or its key`() async throws {
        let bed = try await ProofBed(
            Self.configuration(#""RS256", "ES256""#, Self.published), secrets: [], keySet: TokenVectors.keySet)
        let rsa = try #require(TokenVectors.tokens["RS256"])
        let claims = String(rsa.split(separator: ".")[1])
        for name in ["none", "None", "NONE", "nOnE", ""] {
            let header = TestToken.text(#"{"alg":"\#(name)","kid":"rsa"}"#.utf8)
            #expect(self.refusal(bed, "\(header).\(claims).") == .algorithm)
            #expect(self.refusal(bed, "\(header).\(claims).AAAA") == .algorithm)
        }
        // Signed with the public key as a shared secret.
        for text in [try #require(TokenVectors.publicKeys["RSA"]), TokenVectors.keySet] {
            for text in [text, text + "\n"] {
                let header = TestToken.text(#"{"alg":"HS256","kid":"rsa"}"#.utf8)
                let code = HMAC<SHA256>.authenticationCode(
                    for: Array("\(header).\(claims)".utf8), using: SymmetricKey(data: Data(text.utf8)))
                #expect(self.refusal(bed, "\(header).\(claims).\(TestToken.text(code))") == .algorithm)
            }
        }
        // The sender's own key of another kind, and a key that the token brings along.
        let other = P256.Signing.PrivateKey()
        for header in [
            #"{"alg":"ES256","kid":"rsa"}"#, #"{"alg":"RS256","kid":"ec256"}"#, #"{"alg":"ES256","kid":"ec384"}"#,
            #"{"alg":"ES256","kid":"ec256","jwk":\#(TestToken.keySet(of: other.publicKey))}"#,
            #"{"alg":"ES256","kid":"ec256","jku":"https://evil.example/keys"}"#,
        ] {
            let signed = "\(TestToken.text(header.utf8)).\(claims)"
            let signature = try other.signature(for: Array(signed.utf8)).rawRepresentation
            let kinds: [ProofFailure.Kind?] = [.key, .signature]
            #expect(kinds.contains(self.refusal(bed, "\(signed).\(TestToken.text(signature))")), "\(header)")
        }
    }

    @Test(arguments: [
        "", ".", "..", "...", "a.b", "a.b.c.d", "a.b.c.d.e", "e30.e30.e30", "eyJhbGciOiJFUzI1NiJ9..AAAA",
        ".e30.AAAA", "eyJhbGciOjI1Nn0.e30.AAAA", "W10.e30.AAAA", "eyJhbGciOiJFUzI1NiIsImFsZyI6IkVTMjU2In0.e30.AAAA",
        "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYjY0Il19.e30.AAAA", "eyJhbGciOiJFUzI1NiIsImI2NCI6ZmFsc2V9.e30.AAAA",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6MX0.e30.AAAA", "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.A", "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0=.e30.AAAA",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.AA==", "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.AB",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.AA AA", "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.e30.+A/A",
        String(repeating: "a", count: 20_000), String(repeating: "a", count: 5000) + ".e30.AAAA",
    ])
    func `a token in another form is malformed`(token: String) async throws {
        let configuration = Self.configuration(#""ES256""#, Self.published)
        let bed = try await ProofBed(configuration, secrets: [], keySet: TestToken.keySet)
        #expect(self.refusal(bed, token) == .malformed)
    }
}
