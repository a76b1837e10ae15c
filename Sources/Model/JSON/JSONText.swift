// SPDX-License-Identifier: Apache-2.0
// Writes text as a JSON string: the one escaper for answers, for log lines and for the simulator.

package enum JSONText {
    /// Returns `text` as a JSON string with its quotation marks.
    ///
    /// RFC 8259 section 7 requires an escape for the quotation mark, the backslash and the control characters below
    /// U+0020, and for nothing else. Line feed, carriage return and tab get their short escapes, so a log line stays
    /// one line.
    package static func quoted(_ text: String) -> String {
        // The common case has nothing to escape and needs one copy.
        guard text.utf8.contains(where: Self.needsEscape) else { return "\"\(text)\"" }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20: quoted += Self.hexadecimalEscape(UInt16(scalar.value))
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Returns a JSON text with every invisible character as an escape: no terminal obeys or hides one, and every parser
    /// reads the same value. Outside strings JSON's encoders write no such character.
    package static func visible(_ json: String) -> String {
        if VisibleText.isVisible(json) { return json }
        var visible = ""
        for scalar in json.unicodeScalars {
            if VisibleText.isVisible(scalar) {
                visible.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 { visible += Self.hexadecimalEscape(unit) }
            }
        }
        return visible
    }

    /// In UTF-8 these bytes occur only as characters of their own.
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func hexadecimalEscape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
