// SPDX-License-Identifier: Apache-2.0
// One bit that is changed anywhere in a proof, or in a body that is signed, makes a delivery a stranger's.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct OneBitTests {
    private static let now: Int64 = 1_700_000_000
    private static let body = Array(#"{"type":"user.created","data":{"user_id":"u-1"}}"#.utf8)

    @Test(arguments: SigningKind.all)
    func `every bit of a header counts`(kind: SigningKind) async throws {
        let bed = try await ProofBed(kind.configuration, secret: kind.secret, keySet: TestToken.keySet)
        let headers = kind.sign(Self.body, Self.now, false)
        for (name, value) in headers {
            for place in value.utf8.indices where !Self.isUnread(place, of: value) {
                for bit in 0..<7 where !Self.isCase(value.utf8[place], bit) {
                    var bytes = Array(value.utf8)
                    bytes[value.utf8.distance(from: value.utf8.startIndex, to: place)] ^= 1 << bit
                    var changed = headers.mapValues { [$0] }
                    changed[name] = [String(decoding: bytes, as: UTF8.self)]
                    // A blank around a value is no part of it, and a bit may make one.
                    guard bytes.first != 0x20, bytes.last != 0x20 else { continue }
                    let refusal = bed.refusal(changed, body: Self.body, now: TimeInterval(Self.now))
                    #expect(refusal != nil, "bit \(bit) of \(name), before \(value[place...].prefix(8))")
                }
            }
        }
    }

    @Test(arguments: SigningKind.bound)
    func `every bit of a body that is signed counts`(kind: SigningKind) async throws {
        let bed = try await ProofBed(kind.configuration, secret: kind.secret, keySet: TestToken.keySet)
        let headers = kind.sign(Self.body, Self.now, false).mapValues { [$0] }
        for place in Self.body.indices {
            for bit in 0..<8 {
                var changed = Self.body
                changed[place] ^= 1 << bit
                #expect(bed.refusal(headers, body: changed, now: TimeInterval(Self.now)) != nil)
            }
        }
    }

    /// Whether the place is in an entry of a list that nobody reads: an older scheme.
    private static func isUnread(_ place: String.UTF8View.Index, of value: String) -> Bool {
        value.range(of: "v0=00").map { $0.contains(place) } ?? false
    }

    /// Whether the bit is the one between a small and a large letter where both mean the same: in hexadecimal digits,
    /// and in the name of a scheme.
    private static func isCase(_ byte: UInt8, _ bit: Int) -> Bool { bit == 5 && (0x41...0x5A).contains(byte & 0xDF) }
}
