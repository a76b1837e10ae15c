// SPDX-License-Identifier: Apache-2.0
// Tells characters that a terminal obeys or hides from those that a person can see, and writes the former as escapes.

package enum VisibleText {
    /// Returns whether a terminal shows the character. It obeys or hides the others: controls (C0, DEL and C1), formats
    /// such as bidi marks and zero-width characters, and Unicode's line and paragraph separators. These are the
    /// categories Cc, Cf, Zl and Zp.
    package static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return Self.isVisible(UInt8(truncatingIfNeeded: scalar.value)) }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// Returns whether every character of the text is visible.
    package static func isVisible(_ text: String) -> Bool {
        // The common case is ASCII and needs no look into Unicode's tables.
        text.utf8.allSatisfy(Self.isVisible) || text.unicodeScalars.allSatisfy(Self.isVisible)
    }

    /// Returns the text with each invisible character as `\u{…}`, in hexadecimal. Line feeds and tabs stay if
    /// `keepsLines` is true.
    package static func escaped(_ text: String, keepsLines: Bool = false) -> String {
        if Self.isVisible(text) { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            if Self.isVisible(scalar) || (keepsLines && (scalar == "\n" || scalar == "\t")) {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return escaped
    }

    /// A byte of a character outside ASCII is not visible by itself.
    private static func isVisible(_ byte: UInt8) -> Bool { (0x20..<0x7F).contains(byte) }
}
