// SPDX-License-Identifier: Apache-2.0
// What must hold of any signature header: it is accepted exactly when it holds the right signature of `v1`.

import Crypto
import Foundation
import Model

@testable import Intake

enum FuzzedProof {
    private static let keys = [
        SymmetricKey(data: Data(repeating: 1, count: 24)), SymmetricKey(data: Data(repeating: 2, count: 32)),
    ]
    private static let proof = StandardWebhooksProof(secrets: Self.keys.map { Secret($0) })
    private static let now: Int64 = 1_700_000_000

    static func attempt(_ dice: inout FuzzDice) throws {
        let body = (0..<dice.upTo(40)).map { _ in dice.byte() }
        let id = "msg_\(dice.next())"
        let stamp = Self.now - 300 + Int64(dice.upTo(601))
        let right = StandardWebhooksProof.sign(
            id: id, timestamp: stamp, body: body, key: Self.keys[dice.upTo(Self.keys.count)])
        let (header, isRight) = Self.header(with: right, &dice)
        let blank = dice.one(of: ["", " ", "\t "])
        guard Self.isAccepted(header + blank, blank + id, "\(stamp)" + blank, body) == isRight else {
            throw FuzzFailure(
                "a header is \(isRight ? "refused" : "accepted") (id \(id), \(stamp))", Array(header.utf8))
        }
        var damaged = Array(header.utf8)
        dice.damage(&damaged)
        let text = String(decoding: damaged, as: UTF8.self)
        if Self.isAccepted(text, id, "\(stamp)", body) {
            let rights = Self.keys.map { StandardWebhooksProof.sign(id: id, timestamp: stamp, body: body, key: $0) }
            // The last letter before the padding has two bits that no decoder needs.
            guard rights.contains(where: { text.contains($0.dropLast(2)) }) else {
                throw FuzzFailure("a damaged header is accepted", damaged)
            }
        }
        var parts = [Array(id.utf8), Array("\(stamp)".utf8)]
        let place = dice.upTo(2)
        dice.damage(&parts[place])
        let (otherID, otherStamp) = (
            String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self)
        )
        // Blanks around a value are none of it (RFC 9110 section 5.5).
        let isOther = Self.trimmed(otherID) != id || Self.trimmed(otherStamp) != "\(stamp)"
        if isRight, isOther, Self.isAccepted(header, otherID, otherStamp, body) {
            throw FuzzFailure("another id or time is accepted", Array("\(otherID) \(otherStamp)".utf8))
        }
    }

    private static func trimmed(_ value: String) -> String {
        value.trimmingCharacters(in: CharacterSet(charactersIn: " \t"))
    }

    private static func isAccepted(_ header: String, _ id: String, _ stamp: String, _ body: [UInt8]) -> Bool {
        let headers = ["webhook-id": [id], "webhook-timestamp": [stamp], "webhook-signature": [header]]
        let now = Date(timeIntervalSince1970: TimeInterval(Self.now))
        return (try? Self.proof.verify(header: { headers[$0] ?? [] }, body: body, now: now)) != nil
    }

    /// Returns entries of every scheme in a random order, and whether the right signature is one of the eight of `v1`
    /// that are tried.
    private static func header(with right: String, _ dice: inout FuzzDice) -> (String, Bool) {
        var header = ""
        var (count, isRight) = (0, false)
        for _ in 0..<dice.upTo(14) {
            let wrong = Data((0..<32).map { _ in dice.byte() }).base64EncodedString()
            switch dice.upTo(7) {
            case 0:
                header += right
                if count < 8 { isRight = true }
                count += 1
            case 1, 2:
                header += "v1,\(wrong)"
                count += 1
            case 3: header += "v1a,\(right.dropFirst(3))"
            case 4: header += "v2,\(wrong)"
            case 5: header += String(right.dropFirst(3))
            default: header += dice.one(of: ["", "v1,AAAA", "=", "x", "v1a", "\u{0}", "é"])
            }
            header += dice.one(of: [" ", ", ", ",", "\t", "  ", " \t,"])
        }
        return (header, isRight)
    }
}
