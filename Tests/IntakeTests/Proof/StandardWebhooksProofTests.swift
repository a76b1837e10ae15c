// SPDX-License-Identifier: Apache-2.0
// The proof accepts signatures made by other implementations of Standard Webhooks, and refuses any deviation.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct StandardWebhooksProofTests {
    private static let body = Array(
        """
        {"data":{"id":"user_2NNEqL2nrIRxCBNiiSPAKxvlkEJ"},"object":"event","type":"user.created","instance_id":"ins_1",\
        "timestamp":1700000000000}
        """.utf8)
    private static let first = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let second = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
    private static let firstSignature = "v1,I8xKyDG5oild2viBB6bIg1lvHfUiJREdWN5H8v+wG8Q="
    private static let secondSignature = "v1,RsQkmj9SHh/MVGvm0YpHWvTt5rM/1MP0XeGIIfayYFQ="

    private func verify(
        _ signature: String, id: String = "msg_kat1", timestamp: String = "1700000000", secrets: [String] = [first],
        body: [UInt8] = body, now: TimeInterval = 1_700_000_000
    ) throws -> String {
        let proof = StandardWebhooksProof(
            secrets: try secrets.map { Secret(try StandardWebhooksProof.key(from: $0)) })
        let headers = ["webhook-id": [id], "webhook-timestamp": [timestamp], "webhook-signature": [signature]]
        return try proof.verify(header: { headers[$0] ?? [] }, body: body, now: Date(timeIntervalSince1970: now))
    }

    @Test func `signatures of other implementations are accepted`() throws {
        #expect(try self.verify(Self.firstSignature) == "msg_kat1")
        #expect(try self.verify(Self.secondSignature, secrets: [Self.first, Self.second]) == "msg_kat1")
        #expect(
            try self.verify(
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
                timestamp: "1614265330", secrets: ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                body: Array("{\"test\": 2432232314}".utf8), now: 1_614_265_330) == "msg_p5jXN8AQM9LWM0D4loKWxJek")
    }

    @Test(arguments: [" ", ", ", ",", "\t", "  ", " \t ", ",\t", " , "])
    func `several signatures may be joined by blanks, a comma or both`(separator: String) throws {
        for joined in [
            [Self.secondSignature, Self.firstSignature], [Self.firstSignature, Self.secondSignature],
            ["v1a,AAAA", Self.firstSignature, "v2,BBBB"],
        ] {
            #expect(try self.verify(joined.joined(separator: separator)) == "msg_kat1")
        }
    }

    /// The reference libraries pass over entries of other schemes, and never take one for `v1`.
    @Test func `only entries of the scheme v1 count`() throws {
        let signature = String(Self.firstSignature.dropFirst(3))
        let other = "v1a,\(Data(repeating: 7, count: 64).base64EncodedString())"
        for header in [
            Array(repeating: other, count: 40).joined(separator: " ") + " \(Self.firstSignature)",
            "\(Self.firstSignature) \(other)", "v1a,\(signature) \(Self.firstSignature)",
            "v1 \(Self.firstSignature)", "v1, \(Self.firstSignature)", ", ,\t\(Self.firstSignature), ",
            "v1,\(signature),v1a,AAAA", "v1,short v1,\(signature)", "=,= \(Self.firstSignature)",
        ] {
            #expect(try self.verify(header) == "msg_kat1", "\(header.prefix(80))")
        }
        for header in [
            signature, ",\(signature)", " \(signature)", "v1a,\(signature)", "v2,\(signature)", "V1,\(signature)",
            "v1=\(signature)", "v1 \(signature)", "v1, \(signature)", "v1,,\(signature)", "v11,\(signature)",
            "v1\u{A0},\(signature)", "v1,\(signature.dropLast())", "v1,\(signature)=", "v1,\"\(signature)\"",
            "v1a,v2,\(signature)",
        ] {
            #expect(throws: ProofFailure.self, "\(header)") { try self.verify(header) }
        }
    }

    /// RFC 9110 section 5.5: blanks around a field's value are no part of it.
    @Test func `blanks around a header's value are no part of it`() throws {
        for blank in [" ", "\t", " \t "] {
            let verified = try self.verify(
                blank + Self.firstSignature + blank, id: blank + "msg_kat1" + blank,
                timestamp: blank + "1700000000" + blank)
            #expect(verified == "msg_kat1")
        }
        for id in ["msg kat1", "msg_kat1\u{A0}", "\nmsg_kat1", " ", ""] {
            #expect(throws: ProofFailure.self) { try self.verify(Self.firstSignature, id: id) }
        }
    }

    @Test func `a signature or body with one changed character is refused`() {
        #expect(throws: ProofFailure.self) {
            try self.verify(
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=", id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
                timestamp: "1614265330", secrets: ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                body: Array("{\"test\": 2432232314}".utf8), now: 1_614_265_330)
        }
        for place in Self.body.indices {
            var changed = Self.body
            changed[place] ^= 1
            #expect(throws: ProofFailure.self) { try self.verify(Self.firstSignature, body: changed) }
        }
    }

    @Test(arguments: [
        "nan", "inf", "1e9", "1700000000.5", "17000 00000", "1700000000\n", "+1700000000", "0x6553F100", "-1", " ", "",
        "１７００００００００", "1700000000000", "1700000000000000",
    ])
    func `a timestamp that is not a plain number of seconds is refused`(timestamp: String) {
        #expect(throws: ProofFailure.self) { try self.verify(Self.firstSignature, timestamp: timestamp) }
    }

    @Test func `a timestamp may be up to five minutes off in either direction`() throws {
        #expect(try self.verify(Self.firstSignature, now: 1_700_000_300) == "msg_kat1")
        #expect(try self.verify(Self.firstSignature, now: 1_699_999_700) == "msg_kat1")
        #expect(throws: ProofFailure.self) { try self.verify(Self.firstSignature, now: 1_700_000_301) }
        #expect(throws: ProofFailure.self) { try self.verify(Self.firstSignature, now: 1_699_999_699) }
    }

    @Test(arguments: [
        "", "garbage", "v1", "v1,", ",", " ", "v1,====", "v2,AAAA", "v1,\u{0}", String(repeating: "v1,", count: 5000),
        String(repeating: "v1 ", count: 5000), String(repeating: ", \t", count: 5000),
    ])
    func `a malformed signature header is refused as a failed proof`(signature: String) {
        #expect(throws: ProofFailure.self) { try self.verify(signature) }
    }

    @Test func `a ninth signature of v1 is not tried`() throws {
        let eight = Array(repeating: Self.secondSignature, count: 7) + [Self.firstSignature]
        #expect(try self.verify(eight.joined(separator: " ")) == "msg_kat1")
        let nine = Array(repeating: Self.secondSignature, count: 8) + [Self.firstSignature]
        #expect(throws: ProofFailure.self) { try self.verify(nine.joined(separator: " ")) }
    }

    @Test func `the reason of a failed proof quotes no signature`() {
        let failure = #expect(throws: ProofFailure.self) { try self.verify(Self.secondSignature) }
        #expect(failure?.reason.contains("I8xK") == false)
        #expect(failure?.reason.contains("RsQk") == false)
    }

    @Test func `a weak or malformed secret is refused`() {
        for secret in ["", "whsec_", "whsec_AAAA", "not base64!"] {
            #expect(throws: InvalidValue.self) { try StandardWebhooksProof.key(from: secret) }
        }
    }
}
