// SPDX-License-Identifier: Apache-2.0
// Tokens that try to be checked by another algorithm, by another key or in another way than the source's.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct TokenTricksTests {
    private static let now = TokenVectors.now
    private static let claims = [
        "iss": #""https://id.example.com""#, "aud": #""dialtone""#, "iat": "1700000000", "exp": "1700000300",
        "request_body_sha256": "\"\(TokenVectors.hash)\"",
    ]

    private static func configuration(_ algorithms: String, _ keys: String) -> String {
        """
        {"kind": "jwt", "header": "x-token", "algorithms": [\(algorithms)], \(keys),
         "issuer": "https://id.example.com", "audience": "dialtone",
         "body_hash": {"claim": "request_body_sha256", "encoding": "hex"}}
        """
    }

    private static let published = #""jwks": "https://id.example.com/keys""#
    private static let elliptic = configuration(#""ES256""#, published)

    private static func token(_ header: String, _ claims: [String: String] = claims) -> TestToken {
        var token = TestToken(claims: claims)
        token.writtenHeader = header
        return token
    }

    private func refusal(_ bed: ProofBed, _ token: String, now: TimeInterval = now) -> ProofFailure.Kind? {
        bed.refusal(["x-token": [token]], body: TokenVectors.body, now: now)
    }

    private func bed(_ configuration: String = elliptic, keySet: String = TestToken.keySet) async throws -> ProofBed {
        try await ProofBed(configuration, secrets: [], keySet: keySet)
    }

    // MARK: Algorithms

    /// A source may take published keys and a secret. The token then chooses among proofs, and never mixes them.
    @Test func `a source with two proofs takes no published key for a secret`() async throws {
        let shared = Self.configuration(#""HS256""#, #""expiry": "required""#)
        let secret = "what-both-sides-know-of-each-other"
        let bed = try await ProofBed(
            "{\"any\": [\(Self.elliptic), \(shared)]}", secret: secret, keySet: TestToken.keySet)
        let token = TestToken(algorithm: "HS256", keyID: "k1", claims: Self.claims)
        #expect(self.refusal(bed, token.signed(by: secret)) == nil)
        #expect(self.refusal(bed, TestToken(claims: Self.claims).signed()) == nil)
        let key = TestToken.key.publicKey
        for known in [
            key.pemRepresentation, key.pemRepresentation + "\n", key.derRepresentation.base64EncodedString(),
            TestToken.keySet, TestToken.text(key.rawRepresentation), "", "k1", "https://id.example.com/keys",
        ] {
            #expect(self.refusal(bed, token.signed(by: known)) != nil, "\(known.prefix(40))")
        }
        // The other way round: a genuine signature by the key, under the name of the secret's algorithm.
        #expect(self.refusal(bed, Self.token(#"{"alg":"HS256","kid":"k1"}"#).signed()) != nil)
    }

    @Test(arguments: [
        "es256", "Es256", "ES256 ", " ES256", "ES256K", "ES512", "ES384", "RS256", "PS256", "HS256", "EdDSA", "none",
        "NONE", "", "null", #"ES256\u0000"#, "ES256,none",
    ])
    func `a genuine signature under another algorithm's name is refused`(name: String) async throws {
        let token = Self.token(#"{"alg":"\#(name)","kid":"k1"}"#).signed()
        #expect([.algorithm, .malformed].contains(self.refusal(try await self.bed(), token)))
        let all = TokenAlgorithm.allCases.filter { $0.family != .hmac }.map { "\"\($0.rawValue)\"" }
        let wide = try await self.bed(Self.configuration(all.joined(separator: ","), Self.published))
        #expect(self.refusal(wide, token) != nil)
    }

    /// The numbers 0 and 0 fit every message in a careless check, and DER is another way to write the same numbers.
    @Test func `a signature of ES256 is two numbers that are no zeros`() async throws {
        let bed = try await self.bed()
        let token = TestToken(claims: Self.claims)
        let good = try TestToken.key.signature(for: Array(token.unsigned.utf8))
        #expect(self.refusal(bed, "\(token.unsigned).\(TestToken.text(good.rawRepresentation))") == nil)
        let raw = Array(good.rawRepresentation)
        let (first, second, zeros) = (Array(raw[..<32]), Array(raw[32...]), [UInt8](repeating: 0, count: 32))
        let others: [[UInt8]] = [
            zeros + zeros, first + zeros, zeros + second, second + first, Array(good.derRepresentation), raw + [0],
            [0] + raw, Array(raw.dropLast()),
        ]
        for bytes in others {
            #expect(self.refusal(bed, "\(token.unsigned).\(TestToken.text(bytes))") == .signature)
        }
    }

    // MARK: Headers

    /// Whoever has signed it is the source's sender. What it says of other keys is not looked at, and nothing is fetched.
    @Test(arguments: ["jku", "x5u", "x5c", "jwk", "x5t", "x5t#S256", "typ", "cty", "zip", "url", "nonce"])
    func `a header that names a key is not heeded`(name: String) async throws {
        let other = P256.Signing.PrivateKey()
        let certificate = TestToken.text(other.publicKey.derRepresentation)
        for value in [
            #""https://evil.example/keys""#, "[\"\(certificate)\"]", TestToken.keySet(of: other.publicKey), "null", "1",
        ] {
            let token = Self.token(#"{"alg":"ES256","kid":"k1","\#(name)":\#(value)}"#)
            let bed = try await self.bed()
            #expect(self.refusal(bed, token.signed()) == nil, "\(value.prefix(40))")
            #expect(self.refusal(bed, token.signed(by: other)) == .signature, "\(value.prefix(40))")
        }
    }

    @Test(arguments: [
        #""crit":["exp"]"#, #""crit":[]"#, #""crit":null"#, #""crit":"exp""#, #""crit":["b64"],"b64":true"#,
        #""b64":false"#, #""b64":true"#, #""b64":null"#,
    ])
    func `a token that needs an extension is refused`(member: String) async throws {
        let token = Self.token(#"{"alg":"ES256","kid":"k1",\#(member)}"#).signed()
        #expect(self.refusal(try await self.bed(), token) == .malformed)
    }

    @Test(arguments: [
        (#""../../../dev/null""#, ProofFailure.Kind.key), (#""k1' or '1'='1""#, .key), (#""k1\u0000""#, .malformed),
        (#""K1""#, .key), (#""k1 ""#, .key), (#""""#, .key), (#""https://evil.example/k1""#, .key), (#""k""#, .key),
        ("null", .malformed), ("1", .malformed), ("true", .malformed), (#"["k1"]"#, .malformed), ("{}", .malformed),
        (#""k1","kid":"k1""#, .malformed), (#""k1","\u006bid":"k1""#, .malformed),
        ("\"\(String(repeating: "k", count: 512))\"", .key), ("\"\(String(repeating: "k", count: 513))\"", .malformed),
    ])
    func `a key's name is compared as it is`(name: String, kind: ProofFailure.Kind) async throws {
        let token = Self.token(#"{"alg":"ES256","kid":\#(name)}"#).signed()
        #expect(self.refusal(try await self.bed(), token) == kind)
    }

    /// Two ways to write one letter are two names.
    @Test func `a key's name has its own bytes`() async throws {
        let bed = try await self.bed(keySet: TestToken.keySet.replacing("k1", with: "caf\u{E9}"))
        #expect(self.refusal(bed, Self.token("{\"alg\":\"ES256\",\"kid\":\"caf\u{E9}\"}").signed()) == nil)
        #expect(self.refusal(bed, Self.token(#"{"alg":"ES256","kid":"caf\u00e9"}"#).signed()) == nil)
        #expect(self.refusal(bed, Self.token("{\"alg\":\"ES256\",\"kid\":\"cafe\u{301}\"}").signed()) == .key)
    }

    @Test(arguments: [
        #"["ES256"]"#, #""ES256""#, "null", #"{"alg":"ES256","kid":"k1"}x"#, #"{"alg":"ES256","kid":"k1"}{}"#,
        #"{"alg":["ES256"],"kid":"k1"}"#, #"{"alg":null,"kid":"k1"}"#, #"{"ALG":"ES256","kid":"k1"}"#,
        #"{"alg":"none","alg":"ES256","kid":"k1"}"#, #"{"alg":"ES256","\u0061lg":"none","kid":"k1"}"#,
        #"{"alg":"ES256","kid":"k1","x":[[[[[[[[[[1]]]]]]]]]]}"#, #"{"alg":"ES256","kid":"k1",}"#,
        "\u{FEFF}{\"alg\":\"ES256\",\"kid\":\"k1\"}",
    ])
    func `a header that two readers understand in two ways is refused`(header: String) async throws {
        #expect(self.refusal(try await self.bed(), Self.token(header).signed()) == .malformed)
    }

    // MARK: Claims

    @Test(arguments: ["iss", "aud", "iat", "exp", "nbf", "request_body_sha256"])
    func `no claim may be there twice`(name: String) async throws {
        var claims = Self.claims
        let value = claims[name] ?? "1700000000"
        for second in ["\"\(name)\"", "\"\\u00\(String(name.utf8.first ?? 0, radix: 16))\(name.dropFirst())\""] {
            claims[name] = "\(value),\(second):\(value)"
            let token = TestToken(claims: claims).signed()
            #expect(self.refusal(try await self.bed(), token) == .malformed, "\(second)")
        }
    }

    @Test(arguments: [
        (#"["dialtone"]"#, nil as ProofFailure.Kind?), (#"["a","dialtone","b"]"#, nil), (#"[["dialtone"]]"#, .audience),
        (#"[1,null,"dialtone"]"#, nil), (#"[null]"#, .audience), (#"{"0":"dialtone"}"#, .audience),
        (#"["dialtone "]"#, .audience), (#""dialtone,other""#, .audience), (#""dialtone other""#, .audience),
        (#"[""]"#, .audience), ("null", .audience), ("true", .audience), (#"["DIALTONE"]"#, .audience),
    ])
    func `the audience is one text, or one of a list of texts`(
        value: String, kind: ProofFailure.Kind?
    ) async throws {
        var claims = Self.claims
        claims["aud"] = value
        #expect(self.refusal(try await self.bed(), TestToken(claims: claims).signed()) == kind)
    }

    /// The leeway is 60 seconds. An end is over at its second; a start has come at its second.
    @Test(arguments: [
        ("exp", "1699999941", nil as ProofFailure.Kind?), ("exp", "1699999940", .expired),
        ("exp", "1699999940.000001", nil), ("exp", "253402300799", nil), ("exp", "253402300800", .malformed),
        ("exp", "17e8", nil), ("exp", "-0", .expired), ("exp", "\"never\"", .malformed),
        ("exp", "Infinity", .malformed),
        ("nbf", "1700000060", nil), ("nbf", "1700000060.000001", .ahead), ("nbf", "1700000061", .ahead),
        ("nbf", "0", nil), ("nbf", "null", nil), ("nbf", "-1", .malformed), ("nbf", "\"1700000000\"", .malformed),
        ("iat", "1700000060", nil), ("iat", "1700000060.5", .ahead), ("iat", "1700000061", .ahead), ("iat", "0", nil),
        ("iat", "-1", .malformed), ("iat", "1e400", .malformed), ("iat", "[1700000000]", .malformed),
    ])
    func `times hold to their second`(name: String, value: String, kind: ProofFailure.Kind?) async throws {
        var claims = Self.claims
        claims[name] = value
        #expect(self.refusal(try await self.bed(), TestToken(claims: claims).signed()) == kind)
    }
}
