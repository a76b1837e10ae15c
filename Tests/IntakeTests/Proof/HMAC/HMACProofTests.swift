// SPDX-License-Identifier: Apache-2.0
// HMAC proofs accept the signatures of other implementations, and read lists and times strictly.

import Foundation
import Model
import Testing

@testable import Intake

/// The form with a list, as Stripe uses it.
private enum Stripe {
    static let terms = """
        {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "stripe-signature", "key": "v1",
         "timestamp": {"key": "t", "unit": "s", "tolerance": 300}, "content": "{timestamp}.{body}"}
        """
    static let right = "aaae9d2ef0f4ac1edae5b2097f849c41006d27c5e17947cd2ea5a8ace5b82360"
    static let wrong = String(repeating: "0", count: 64)
}

@Suite struct HMACProofTests {
    private static let now: TimeInterval = 1_700_000_000

    private func refusal(
        _ configuration: String, _ header: String, _ value: String, now: TimeInterval = now
    ) async throws -> ProofFailure.Kind? {
        let bed = try await ProofBed(configuration, secret: "sec_kat")
        return bed.refusal([header: [value]], body: TokenVectors.body, now: now)
    }

    private func stripe(_ value: String, now: TimeInterval = now) async throws -> ProofFailure.Kind? {
        try await self.refusal(Stripe.terms, "stripe-signature", value, now: now)
    }

    @Test(arguments: [
        (Stripe.terms, "stripe-signature", "t=1700000000,v1=\(Stripe.right)"),
        (
            """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "workos-signature", "key": "v1",
             "timestamp": {"key": "t", "unit": "ms", "tolerance": 180}, "content": "{timestamp}.{body}"}
            """, "workos-signature",
            "t=1700000000000, v1=46cb96fa17a21cf2d5ca53187a31eda0f5c81fe11b88dfeb50134deef3ce256b"
        ),
        (
            #"{"kind":"hmac","hash":"sha256","encoding":"hex","header":"x-hub-signature-256","prefix":"sha256="}"#,
            "x-hub-signature-256", "sha256=6dff4f7d9cc37328cb80912cf440548c29fa4d03a4bd20d411fc9ddeac7106e5"
        ),
        (
            #"{"kind":"hmac","hash":"sha256","encoding":"hex","header":"x-keycloak-signature"}"#,
            "x-keycloak-signature", "6DFF4f7d9cc37328cb80912cf440548c29fa4d03a4bd20d411fc9ddeac7106e5"
        ),
        (
            #"{"kind":"hmac","hash":"sha256","encoding":"base64","header":"x-signature"}"#, "x-signature",
            "bf9PfZzDcyjLgJEs9EBUjCn6TQOkvSDUEfyd3qxxBuU="
        ),
    ])
    func `signatures of other implementations are accepted`(
        configuration: String, header: String, value: String
    ) async throws {
        #expect(try await self.refusal(configuration, header, value) == nil)
        // One letter of the signature, or the whole in another encoding, is another signature.
        let changed = value.last == "0" ? String(value.dropLast()) + "1" : String(value.dropLast()) + "0"
        #expect(try await self.refusal(configuration, header, changed) != nil)
    }

    @Test(arguments: [
        "t=1700000000,v1=\(Stripe.wrong),v1=\(Stripe.right)", "t=1700000000,v1=\(Stripe.right),v1=\(Stripe.wrong)",
        "v1=\(Stripe.right),t=1700000000", "t=1700000000; v1=\(Stripe.right)",
        "t = 1700000000, v1=\(Stripe.right), t=1700000000", "t= 1700000000 ,\tv1= \(Stripe.right) ",
        ",,t=1700000000,x,=,v0=zz,v1=zz,v1=\(Stripe.right),", "t=1700000000,v1=\(Stripe.right.uppercased())",
        "t=1700000000," + String(repeating: "v1=\(Stripe.wrong),", count: 7) + "v1=\(Stripe.right)",
    ])
    func `a list may hold other entries, and several signatures`(value: String) async throws {
        #expect(try await self.stripe(value) == nil)
    }

    @Test(arguments: [
        ("t=1700000000,t=1700000000,v1=\(Stripe.right)", ProofFailure.Kind.repeated),
        ("t=1700000000,v1=\(Stripe.right),t=1699999999", .repeated), ("v1=\(Stripe.right)", .missing),
        ("T=1700000000,v1=\(Stripe.right)", .missing), ("t=1700000000", .malformed),
        ("t=1700000000,V1=\(Stripe.right)", .malformed), ("t=1700000000,v0=\(Stripe.right)", .malformed),
        ("t=1700000000,v1=\(Stripe.right.dropLast())", .malformed), ("t=1700000000,v1=\(Stripe.right)0", .malformed),
        ("t=1700000000,v1=", .malformed), ("t=1700000000,v1=\(Stripe.wrong)", .signature),
        ("t=1700000001,v1=\(Stripe.right)", .signature), ("t=,v1=\(Stripe.right)", .malformed),
        ("t=1700000000," + String(repeating: "v1=\(Stripe.wrong),", count: 8) + "v1=\(Stripe.right)", .signature),
        ("t=1700000000,v1=\(Stripe.right)," + String(repeating: "x=y,", count: 40), .malformed),
    ])
    func `a list with two times, without one, or without a signature is refused`(
        value: String, kind: ProofFailure.Kind
    ) async throws {
        #expect(try await self.stripe(value) == kind)
    }

    @Test(arguments: [
        "nan", "inf", "1e9", "1700000000.5", "17000 00000", "+1700000000", "0x6553F100", "-1", "１７００００００００",
        "1700000000000", "01700000000000",
    ])
    func `a time that is not a plain number is refused`(time: String) async throws {
        #expect(try await self.stripe("t=\(time),v1=\(Stripe.right)") == .malformed)
    }

    @Test func `a time may be off by the tolerance, and ahead by its own`() async throws {
        let value = "t=1700000000,v1=\(Stripe.right)"
        #expect(try await self.stripe(value, now: Self.now + 300) == nil)
        #expect(try await self.stripe(value, now: Self.now + 301) == .expired)
        #expect(try await self.stripe(value, now: Self.now - 300) == nil)
        #expect(try await self.stripe(value, now: Self.now - 301) == .ahead)
        let few = Stripe.terms.replacing(#""tolerance": 300"#, with: #""tolerance": 300, "ahead": 5"#)
        #expect(try await self.refusal(few, "stripe-signature", value, now: Self.now - 6) == .ahead)
        #expect(try await self.refusal(few, "stripe-signature", value, now: Self.now - 5) == nil)
        let any = Stripe.terms.replacing(#""tolerance": 300"#, with: #""tolerance": 300, "ahead": "any""#)
        #expect(try await self.refusal(any, "stripe-signature", value, now: Self.now - 86_400) == nil)
        #expect(try await self.refusal(any, "stripe-signature", value, now: Self.now + 301) == .expired)
    }

    @Test func `of several header names exactly one may be there`() async throws {
        let bed = try await ProofBed(
            Stripe.terms.replacing(#""stripe-signature""#, with: #"["stripe-signature", "x-stripe-signature"]"#),
            secret: "sec_kat")
        let value = ["t=1700000000,v1=\(Stripe.right)"]
        for name in ["stripe-signature", "x-stripe-signature"] {
            #expect(bed.refusal([name: value], body: TokenVectors.body, now: Self.now) == nil)
        }
        let both = ["stripe-signature": value, "x-stripe-signature": value]
        #expect(bed.refusal(both, body: TokenVectors.body, now: Self.now) == .repeated)
        #expect(bed.refusal([:], body: TokenVectors.body, now: Self.now) == .missing)
    }

    /// With the id signed, nobody can send the same delivery under another id.
    @Test func `an id and a header are part of what is signed`() async throws {
        let kind = try #require(SigningKind.all.first { $0.configuration.contains("{id}") })
        let bed = try await ProofBed(kind.configuration, secret: kind.secret)
        let headers = kind.sign(TokenVectors.body, Int64(Self.now), false)
        for (name, value) in [("x-id", "id-2"), ("x-topic", "admins"), ("x-time", "1700000001")] {
            var changed = headers.mapValues { [$0] }
            changed[name] = [value]
            #expect(bed.refusal(changed, body: TokenVectors.body, now: Self.now) == .signature)
        }
        for id in ["id 1", "id\u{A0}1", "\n", String(repeating: "a", count: 256)] {
            var changed = headers.mapValues { [$0] }
            changed["x-id"] = [id]
            #expect(bed.refusal(changed, body: TokenVectors.body, now: Self.now) == .malformed)
        }
    }

    /// One signature for `a:b`, `c` and for `a`, `b:c` would let anybody move the border.
    @Test(arguments: [("a:b", "c"), ("a", "b:c"), ("a:", "c"), (":", ":")])
    func `an id or a header with the text that follows it is refused`(id: String, topic: String) async throws {
        let configuration = """
            {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature", "id": "x-id",
             "content": "{id}:{header:x-topic}:{body}"}
            """
        let bed = try await ProofBed(configuration, secret: SigningKind.right)
        let code = SigningKind.mac("\(id):\(topic):", TokenVectors.body, false)
        var headers = ["x-signature": [SigningKind.hexadecimal(code)], "x-id": [id], "x-topic": [topic]]
        #expect(bed.refusal(headers, body: TokenVectors.body, now: Self.now) == .malformed)
        let good = SigningKind.mac("a:c:", TokenVectors.body, false)
        headers = ["x-signature": [SigningKind.hexadecimal(good)], "x-id": ["a"], "x-topic": ["c"]]
        #expect(bed.refusal(headers, body: TokenVectors.body, now: Self.now) == nil)
    }

    /// It may be a secret that somebody has put into the wrong place, and the sender reads the reason.
    @Test func `the configured prefix and scheme are not shown`() async throws {
        for configuration in [
            #"{"kind":"hmac","hash":"sha256","encoding":"hex","header":"x","prefix":"made-up-word"}"#,
            #"{"kind":"jwt","header":"x","scheme":"made-up-word","algorithms":["HS256"],"body_hash":"none"}"#,
        ] {
            let bed = try await ProofBed(configuration, secret: "sec_kat")
            let failure = #expect(throws: ProofFailure.self) {
                try bed.verify(["x": ["abc"]], body: [], now: Self.now)
            }
            #expect(failure?.kind == .malformed && failure?.reason.contains("made-up-word") == false)
        }
    }
}
