// SPDX-License-Identifier: Apache-2.0
// Random headers are never a proof, and never end the process.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct ProofFuzzTests {
    private static let now: Int64 = 1_700_000_000
    private static let body = Array(#"{"type":"user.created"}"#.utf8)
    private static let words = [
        "t=1700000000", "v1=", "v1,", "v1a,", "sha256=", "v0=", "Bearer ", "Basic ", "eyJhbGciOiJub25lIn0", "e30", "..",
        ".", ",", ";", " ", "=", "\t", "msg_1", "1700000000", "AAAA", "00ff", "\u{0}", "é", "ZGlhbHRvbmU6", "dialtone:",
    ]

    /// The number of an attempt decides everything in it.
    @Test(arguments: SigningKind.all)
    func `ten thousand random headers are no proof`(kind: SigningKind) async throws {
        let bed = try await ProofBed(kind.configuration, secret: kind.secret, keySet: TestToken.keySet)
        let signed = kind.sign(Self.body, Self.now, false)
        let forged = kind.sign(Self.body, Self.now, true)
        #expect(bed.refusal(signed.mapValues { [$0] }, body: Self.body, now: TimeInterval(Self.now)) == nil)
        let names = signed.keys.sorted()
        for number in 0..<(10_000 / SigningKind.all.count + 1) {
            var dice = FuzzDice(UInt64(number))
            var headers = forged.mapValues { [$0] }
            headers[dice.one(of: names)] = (0...dice.upTo(20) / 19).map { _ in Self.value(&dice, forged.values.first) }
            #expect(
                bed.refusal(headers, body: Self.body, now: TimeInterval(Self.now)) != nil, "attempt \(number)")
        }
    }

    /// Words of the formats, damaged values of a forger, or any bytes.
    private static func value(_ dice: inout FuzzDice, _ forged: String?) -> String {
        switch dice.upTo(3) {
        case 0: return (0..<dice.upTo(12)).map { _ in dice.one(of: Self.words) }.joined()
        case 1:
            var bytes = Array((forged ?? "").utf8)
            dice.damage(&bytes)
            return String(decoding: bytes, as: UTF8.self)
        default: return String(decoding: (0..<dice.upTo(80)).map { _ in dice.byte() }, as: UTF8.self)
        }
    }

    @Test func `random bodies hold no token`() async throws {
        let bed = try await ProofBed(
            """
            {"any": [{"kind": "jwt", "body": "whole", "algorithms": ["ES256"], "jwks": "https://a.example/k",
                      "issuer": "any", "require": ["id"], "expiry": "optional"},
                     {"kind": "jwt", "body": "/data/jwt", "algorithms": ["HS256"], "require": ["id"],
                      "expiry": "optional"}]}
            """, secret: SigningKind.right, keySet: TestToken.keySet)
        let token = TestToken(claims: ["id": "1"])
        let good = Array(token.signed().utf8)
        let forged = TestToken(algorithm: "HS256", claims: ["id": "1"]).signed(by: "x")
        let shared = Array(#"{"data":{"jwt":"\#(forged)"}}"#.utf8)
        #expect(bed.refusal([:], body: good, now: TimeInterval(Self.now)) == nil)
        for number in 0..<5000 {
            var dice = FuzzDice(UInt64(number))
            var body = dice.chance(50) ? good : shared
            dice.damage(&body)
            if body != good { #expect(bed.refusal([:], body: body, now: TimeInterval(Self.now)) != nil, "\(number)") }
        }
    }
}
