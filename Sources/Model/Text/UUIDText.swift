// SPDX-License-Identifier: Apache-2.0
// A UUID as text, quickly: every answer to a webhook holds one.

package import Foundation

extension UUID {
    /// The text of RFC 9562 section 4 in lower case, as PostgreSQL writes it. It is written by hand, because
    /// `uuidString` formats through the C library.
    package var lowercase: String {
        String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for (number, byte) in withUnsafeBytes(of: self.uuid, Array.init).enumerated() {
                if [4, 6, 8, 10].contains(number) {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                for digit in [byte >> 4, byte & 15] {
                    text[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                    place += 1
                }
            }
            return place
        }
    }
}
