// SPDX-License-Identifier: Apache-2.0
// A proof that holds but for the time tells how far the clocks are apart, and one that does not hold tells nothing.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct ClockSkewTests {
    private static let sent: TimeInterval = 1_700_000_000
    private static let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let hmac = """
        {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "stripe-signature", "key": "v1",
         "timestamp": {"key": "t", "unit": "UNIT", "tolerance": 300, "ahead": 300}, "content": "{timestamp}.{body}"}
        """
    private static let token = """
        {"kind": "jwt", "header": "x-token", "algorithms": ["ES256"], "jwks": "https://id.example.com/keys",
         "issuer": "https://id.example.com", "body_hash": {"claim": "request_body_sha256", "encoding": "hex"}}
        """

    /// What a proof of one kind says when our clock is `later` seconds later than the sender's. `isForged`: the rest
    /// does not hold.
    private static func failure(_ kind: Kind, later: TimeInterval, isForged: Bool) async throws -> ProofFailure? {
        let now = Self.sent + later
        let body = isForged ? Array("{}".utf8) : TokenVectors.body
        let bed: ProofBed
        let headers: [String: [String]]
        switch kind {
        case .standardWebhooks:
            bed = try await ProofBed(#"{"kind":"standard-webhooks"}"#, secret: Self.secret)
            let signature = StandardWebhooksProof.sign(
                id: "m", timestamp: Int64(Self.sent), body: TokenVectors.body,
                key: try StandardWebhooksProof.key(from: Self.secret))
            headers = [
                "webhook-id": ["m"], "webhook-timestamp": ["\(Int64(Self.sent))"], "webhook-signature": [signature],
            ]
        case .hmac, .hmacInMilliseconds:
            let unit = kind == .hmac ? "s" : "ms"
            bed = try await ProofBed(Self.hmac.replacing("UNIT", with: unit), secret: "sec_kat")
            headers = ["stripe-signature": [Self.stripe(kind == .hmac ? "1700000000" : "1700000000000")]]
        case .token:
            bed = try await ProofBed(Self.token, secrets: [], keySet: TestToken.keySet, readAt: now)
            let claims = [
                "iss": #""https://id.example.com""#, "iat": "1700000000", "exp": "1700000060",
                "request_body_sha256": "\"\(TokenVectors.hash)\"",
            ]
            headers = ["x-token": [TestToken(claims: claims).signed()]]
        }
        do {
            _ = try bed.verify(headers, body: body, now: now)
            return nil
        } catch {
            return error
        }
    }

    private static func stripe(_ time: String) -> String {
        let right = [
            "1700000000": "aaae9d2ef0f4ac1edae5b2097f849c41006d27c5e17947cd2ea5a8ace5b82360",
            "1700000000000": "46cb96fa17a21cf2d5ca53187a31eda0f5c81fe11b88dfeb50134deef3ce256b",
        ]
        return "t=\(time),v1=\(right[time] ?? "")"
    }

    enum Kind: CaseIterable {
        case standardWebhooks, hmac, hmacInMilliseconds, token
    }

    @Test(arguments: Kind.allCases, [3600.0, -3600])
    func `a right proof at a wrong time tells the difference`(kind: Kind, later: TimeInterval) async throws {
        let failure = try #require(try await Self.failure(kind, later: later, isForged: false))
        #expect(failure.kind == (later > 0 ? .expired : .ahead))
        #expect(failure.skewMilliseconds == Int64(-later * 1000))
    }

    @Test(arguments: Kind.allCases, [3600.0, -3600])
    func `a forged proof at a wrong time tells no difference, and is told of the time alone`(
        kind: Kind, later: TimeInterval
    ) async throws {
        let failure = try #require(try await Self.failure(kind, later: later, isForged: true))
        #expect(failure.kind == (later > 0 ? .expired : .ahead))
        #expect(failure.skewMilliseconds == nil)
    }

    @Test(arguments: Kind.allCases)
    func `at the right time a right proof holds, and a forged one tells no difference`(kind: Kind) async throws {
        #expect(try await Self.failure(kind, later: 0, isForged: false) == nil)
        let failure = try #require(try await Self.failure(kind, later: 0, isForged: true))
        #expect([.signature, .bodyHash].contains(failure.kind) && failure.skewMilliseconds == nil)
    }

    @Test func `beside another proof that misses its header the difference is still told`() async throws {
        let both = #"{"any":[\#(Self.hmac.replacing("UNIT", with: "s")),{"kind":"bearer"}]}"#
        let bed = try await ProofBed(both, secret: "sec_kat")
        let error = #expect(throws: ProofFailure.self) {
            try bed.verify(
                ["stripe-signature": [Self.stripe("1700000000")]], body: TokenVectors.body, now: Self.sent + 400)
        }
        #expect(error?.skewMilliseconds == -400_000)
    }
}
