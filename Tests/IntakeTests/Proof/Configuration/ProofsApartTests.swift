// SPDX-License-Identifier: Apache-2.0
// A signature that one proof of a source has seen proves nothing by another: an old delivery stays old.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct ProofsApartTests {
    private static let now: Int64 = 1_700_000_000
    private static let body = Array(#"{"type":"user.created"}"#.utf8)

    private static func timed(_ content: String = "{timestamp}.{body}", _ hash: String = "sha256") -> String {
        """
        {"kind": "hmac", "hash": "\(hash)", "encoding": "hex", "header": "x-signature", "key": "v1",
         "timestamp": {"key": "t", "unit": "s", "tolerance": 300}, "content": "\(content)"}
        """
    }

    private static func untimed(
        _ content: String = "{body}", header: String = "x-signature", encoding: String = "hex", hash: String = "sha256"
    ) -> String {
        """
        {"kind": "hmac", "hash": "\(hash)", "encoding": "\(encoding)", "header": "\(header)", "content": "\(content)"}
        """
    }

    private func read(_ proofs: String...) throws -> ProofConfiguration {
        let text = "{\"any\": [\(proofs.joined(separator: ", "))]}"
        return try ProofConfiguration(try JSONValue(parsing: Array(text.utf8)))
    }

    /// Whoever has the headers of one delivery chooses under which name and in which encoding the signature is shown.
    @Test(arguments: [("x-signature", "hex"), ("x-other", "hex"), ("x-signature", "base64")])
    func `a timed delivery is not proven again without its time`(header: String, encoding: String) async throws {
        for content in ["{timestamp}.{body}", "{timestamp}{body}", "{timestamp}0{body}", "{timestamp}.v1.{body}"] {
            let untimed = Self.untimed(header: header, encoding: encoding)
            for proofs in ["\(Self.timed(content)), \(untimed)", "\(untimed), \(Self.timed(content))"] {
                let bed = try await ProofBed("{\"any\": [\(proofs)]}", secret: SigningKind.right)
                let between = content.replacing("{timestamp}", with: "").replacing("{body}", with: "")
                let signed = Array("\(Self.now)\(between)".utf8) + Self.body
                let mac = SigningKind.mac("", signed, false)
                let timed = ["x-signature": ["t=\(Self.now),v1=\(SigningKind.hexadecimal(mac))"]]
                #expect(bed.refusal(timed, body: Self.body, now: TimeInterval(Self.now)) == nil)
                let code = encoding == "hex" ? SigningKind.hexadecimal(mac) : mac.base64EncodedString()
                for later in [Self.now, Self.now + 86_400] {
                    #expect(bed.refusal([header: [code]], body: signed, now: TimeInterval(later)) != nil, "\(proofs)")
                }
                // What the sender signs without a time is proven still.
                let own = SigningKind.mac("", Self.body, false)
                let text = encoding == "hex" ? SigningKind.hexadecimal(own) : own.base64EncodedString()
                #expect(bed.refusal([header: [text]], body: Self.body, now: TimeInterval(Self.now)) == nil)
            }
        }
    }

    @Test func `bodies that no time begins stay proven`() async throws {
        let bed = try await ProofBed("{\"any\": [\(Self.timed()), \(Self.untimed())]}", secret: SigningKind.right)
        for (text, isProven) in [
            ("", true), ("17", true), ("17,5", true), (".5", true), (" 1.5", true), ("-1.5", true), ("[1.5]", true),
            ("1.5", false), ("1.", false), ("0017.{}", false),
        ] {
            let code = SigningKind.hexadecimal(SigningKind.mac("", Array(text.utf8), false))
            let refusal = bed.refusal(["x-signature": [code]], body: Array(text.utf8), now: TimeInterval(Self.now))
            #expect(refusal == (isProven ? nil : .malformed), "\(text)")
        }
        let alone = try await ProofBed(Self.untimed(), secret: SigningKind.right)
        let code = SigningKind.hexadecimal(SigningKind.mac("", Array("1.5".utf8), false))
        #expect(alone.refusal(["x-signature": [code]], body: Array("1.5".utf8), now: TimeInterval(Self.now)) == nil)
    }

    @Test(arguments: [
        ("v0:{timestamp}:{body}", "{body}"), ("{body}.{timestamp}", "{body}"), ("{timestamp}.{body}", "{body}."),
        ("v0:{timestamp}:{body}", "v0:{body}"), ("v0:{timestamp}:{body}", "v{body}"),
        ("{timestamp}.{body}", "1{body}"), ("{timestamp}.{body}", "{header:x-topic}.{body}"),
    ])
    func `contents that no rule tells apart are refused`(timed: String, untimed: String) throws {
        for proofs in [[Self.timed(timed), Self.untimed(untimed)], [Self.untimed(untimed), Self.timed(timed)]] {
            let text = "{\"any\": [\(proofs.joined(separator: ", "))]}"
            let error = #expect(throws: InvalidValue.self) {
                try ProofConfiguration(try JSONValue(parsing: Array(text.utf8)))
            }
            #expect(error?.field == "proof.any[\(proofs[0].contains("timestamp") ? 1 : 0)]")
        }
        // With another hash a signature of the one is none of the other.
        #expect(throws: Never.self) { try self.read(Self.timed(timed, "sha512"), Self.untimed(untimed)) }
    }

    @Test(arguments: [
        ("v0:{timestamp}:{body}", "v1:{body}"), ("{timestamp}.{body}", "v1:{body}"),
        ("a{body}.{timestamp}", "b{body}"),
    ])
    func `contents that begin differently are apart`(timed: String, untimed: String) throws {
        #expect(throws: Never.self) { try self.read(Self.timed(timed), Self.untimed(untimed)) }
        #expect(throws: Never.self) { try self.read(Self.untimed(untimed), Self.timed(timed)) }
    }
}
