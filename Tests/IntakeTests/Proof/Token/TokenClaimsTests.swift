// SPDX-License-Identifier: Apache-2.0
// What a token must claim: times, issuer, audience, the claims of a webhook, and the body it came with.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TokenClaimsTests {
    private static let now = TokenVectors.now
    private static let good = [
        "iss": #""https://id.example.com""#, "aud": #""dialtone""#, "iat": "1700000000", "exp": "1700000300",
        "jti": #""j1""#, "purpose": #""webhook""#, "request_body_sha256": "\"\(TokenVectors.hash)\"",
    ]
    private static let configuration = """
        {"kind": "jwt", "header": "x-token", "algorithms": ["ES256"], "jwks": "https://id.example.com/keys",
         "issuer": "https://id.example.com", "audience": "dialtone", "require": ["jti"],
         "equal": {"purpose": "webhook"}, "body_hash": {"claim": "request_body_sha256", "encoding": "hex"}}
        """

    private func refusal(
        _ claims: [String: String], _ configuration: String = configuration, body: [UInt8] = TokenVectors.body
    ) async throws -> ProofFailure.Kind? {
        let bed = try await ProofBed(configuration, secrets: [], keySet: TestToken.keySet)
        return bed.refusal(["x-token": [TestToken(claims: claims).signed()]], body: body, now: Self.now)
    }

    private static func changed(_ name: String, _ value: String?) -> [String: String] {
        var claims = Self.good
        claims[name] = value
        return claims
    }

    @Test func `a token with all its claims is accepted, and tells nothing about itself`() async throws {
        let bed = try await ProofBed(Self.configuration, secrets: [], keySet: TestToken.keySet)
        let headers = ["x-token": [TestToken(claims: Self.good).signed()]]
        #expect(try bed.verify(headers, body: TokenVectors.body, now: Self.now) == Proven())
    }

    @Test(
        arguments: [
            ("exp", nil, ProofFailure.Kind.claim), ("exp", "null", .claim), ("exp", "1699999940", .expired),
            ("exp", "1699999941", nil), ("exp", "0", .expired), ("exp", "1699999940.5", nil), ("exp", "-1", .malformed),
            ("exp", "1700000300000", .malformed), ("exp", "1e400", .malformed), ("exp", #""1700000300""#, .malformed),
            ("exp", "true", .malformed), ("exp", "[1700000300]", .malformed), ("nbf", "1700000060", nil),
            ("nbf", "1700000061", .ahead), ("nbf", "{}", .malformed), ("iat", "1700000061", .ahead), ("iat", nil, nil),
            ("iat", "1700000000000", .malformed), ("iss", nil, .issuer),
            ("iss", #""https://id.example.com/""#, .issuer),
            ("iss", #""HTTPS://id.example.com""#, .issuer), ("iss", #"["https://id.example.com"]"#, .issuer),
            ("aud", nil, .audience), ("aud", #""Dialtone""#, .audience), ("aud", #""dialtone ""#, .audience),
            ("aud", "[]", .audience), ("aud", #"["other"]"#, .audience), ("aud", #"["other", "dialtone"]"#, nil),
            ("aud", #"{"dialtone": true}"#, .audience), ("jti", nil, .claim), ("jti", "null", .claim),
            ("jti", #""""#, .claim),
            ("jti", "7", nil), ("purpose", nil, .claim), ("purpose", #""session""#, .claim), ("purpose", "1", .claim),
            ("request_body_sha256", nil, .bodyHash), ("request_body_sha256", #""""#, .bodyHash),
            ("request_body_sha256", "0", .bodyHash),
            ("request_body_sha256", "\"\(TokenVectors.hash.uppercased())\"", nil),
            ("request_body_sha256", "\"\(TokenVectors.hash.dropLast(2))\"", .bodyHash),
            ("request_body_sha256", "\"\(String(repeating: "0", count: 64))\"", .bodyHash),
            (
                "request_body_sha256", "\"\(Data(SHA256.hash(data: TokenVectors.body)).base64EncodedString())\"",
                .bodyHash
            ),
        ] as [(String, String?, ProofFailure.Kind?)])
    func `a claim that is missing or wrong is refused`(
        name: String, value: String?, kind: ProofFailure.Kind?
    ) async throws {
        #expect(try await self.refusal(Self.changed(name, value)) == kind)
    }

    @Test func `the expiry may be optional, and is heeded where it stands`() async throws {
        let optional = Self.configuration.replacing("\"kind\"", with: #""expiry": "optional", "leeway": 0, "kind""#)
        #expect(try await self.refusal(Self.changed("exp", nil), optional) == nil)
        #expect(try await self.refusal(Self.changed("exp", "1700000001"), optional) == nil)
        #expect(try await self.refusal(Self.changed("exp", "1700000000"), optional) == .expired)
        #expect(try await self.refusal(Self.changed("iat", "1700000001"), optional) == .ahead)
    }

    @Test(arguments: [
        Data(SHA256.hash(data: TokenVectors.body)).base64EncodedString(),
        TestToken.text(SHA256.hash(data: TokenVectors.body)),
        String(Data(SHA256.hash(data: TokenVectors.body)).base64EncodedString().dropLast()),
    ])
    func `a body's hash may be base64 in either alphabet`(hash: String) async throws {
        let configuration = Self.configuration.replacing(#""hex""#, with: #""base64""#)
        let claims = Self.changed("request_body_sha256", "\"\(hash)\"")
        #expect(try await self.refusal(claims, configuration) == nil)
        #expect(try await self.refusal(claims, configuration, body: []) == .bodyHash)
    }

    @Test func `a token belongs to one body`() async throws {
        for body in [[], TokenVectors.body + [0x0A], Array("{}".utf8)] {
            #expect(try await self.refusal(Self.good, body: body) == .bodyHash)
        }
    }

    /// Which of the two another reader takes is not known.
    @Test func `a claim that is there twice is refused`() async throws {
        var token = TestToken(claims: Self.good)
        token.claims["exp"] = #"1700000300,"exp":1700000300"#
        let bed = try await ProofBed(Self.configuration, secrets: [], keySet: TestToken.keySet)
        #expect(bed.refusal(["x-token": [token.signed()]], body: TokenVectors.body, now: Self.now) == .malformed)
    }

    private static let inBody = """
        {"kind": "jwt", "body": "PLACE", "algorithms": ["ES256"], "jwks": "https://id.example.com/keys",
         "issuer": "any", "expiry": "optional", "require": ["event_id"]}
        """

    @Test(arguments: [
        ("whole", "TOKEN"), ("/jwt", #"{"jwt":"TOKEN","x":[1e999]}"#),
        ("/data/jwt", #"{"a":{},"data":{"jwt":"TOKEN"}}"#),
        ("/a~1b/c~0d", #"{"a/b":{"c~d":"TOKEN"}}"#),
    ])
    func `the claims of a token in the body are what the sender says`(place: String, body: String) async throws {
        let bed = try await ProofBed(
            Self.inBody.replacing("PLACE", with: place), secrets: [], keySet: TestToken.keySet)
        let token = TestToken(claims: ["event_id": #""e1""#])
        let proven = try bed.verify([:], body: Array(body.replacing("TOKEN", with: token.signed()).utf8), now: Self.now)
        #expect(proven.claims == Array(#"{"event_id":"e1"}"#.utf8))
        // A user's own token, by the same key.
        let session = TestToken(claims: ["sub": #""u1""#]).signed()
        #expect(bed.refusal([:], body: Array(body.replacing("TOKEN", with: session).utf8), now: Self.now) == .claim)
    }

    @Test(arguments: [
        ("/data/jwt", "", ProofFailure.Kind.malformed), ("/data/jwt", "[]", .malformed), ("/data/jwt", "{}", .missing),
        ("/data/jwt", #"{"data":"TOKEN"}"#, .missing), ("/data/jwt", #"{"data":{"jwt":null}}"#, .missing),
        ("/data/jwt", #"{"data":{"jwt":["TOKEN"]}}"#, .missing), ("/data/jwt", "TOKEN", .malformed),
        ("/data/jwt", #"{"data":{"jwt":"TOKEN","jwt":"TOKEN"}}"#, .malformed),
        ("/data/jwt", #"{"data":{"jwt":"TOKEN"},"data":{}}"#, .malformed), ("whole", "", .malformed),
        ("whole", #""TOKEN""#, .malformed), ("whole", #"{"jwt":"TOKEN"}"#, .malformed),
        ("whole", "TOKEN\n", .malformed),
    ])
    func `a body without its token is refused`(place: String, body: String, kind: ProofFailure.Kind) async throws {
        let bed = try await ProofBed(
            Self.inBody.replacing("PLACE", with: place), secrets: [], keySet: TestToken.keySet)
        let token = TestToken(claims: ["event_id": #""e1""#]).signed()
        #expect(bed.refusal([:], body: Array(body.replacing("TOKEN", with: token).utf8), now: Self.now) == kind)
    }
}
