// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64 are read as their definitions say, and in one spelling only.

import Foundation
import Testing

@testable import Intake

@Suite struct ByteTextTests {
    @Test func `both are read back`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let padded = Data(bytes).base64EncodedString()
            #expect(ByteText.base64(padded.utf8, .standard) == bytes)
            #expect(ByteText.base64(padded.replacing("=", with: "").utf8, .standard) == bytes)
            #expect(ByteText.base64(TestToken.text(bytes).utf8, .url) == bytes)
            let hexadecimal = SigningKind.hexadecimal(bytes)
            #expect(ByteText.hexadecimal(hexadecimal.utf8) == bytes)
            #expect(ByteText.hexadecimal(hexadecimal.uppercased().utf8) == bytes)
        }
    }

    @Test(arguments: [
        "A", "AAAAA", "A===", "AA=", "=", "==", "====", "AB", "AB==", "AAB", "AAB=", "AA=A", "AAA=AAAA", "AA AA",
        "AAAA ",
        " AAAA", "AAAA\n", "AA-A", "AA_A", "éAAA", "AAAA====", "AAAA=", "AA\u{0}A", "AA==AA==",
    ])
    func `a base64 text with padding, bits or letters too many is none`(text: String) {
        #expect(ByteText.base64(text.utf8, .standard) == nil)
    }

    @Test(arguments: ["A", "AA==", "AAA=", "AB", "AAB", "AA+A", "AA/A", "AA.A", "AAAA=", " ", "é"])
    func `base64url has other letters and no padding`(text: String) {
        #expect(ByteText.base64(text.utf8, .url) == nil)
    }

    @Test(arguments: ["0", "000", "0g", "0x00", " 00", "00 ", "0-", "éé", "０0"])
    func `a hexadecimal text of odd length or with other letters is none`(text: String) {
        #expect(ByteText.hexadecimal(text.utf8) == nil)
    }
}
