// SPDX-License-Identifier: Apache-2.0
// A log line as text, for a person at a terminal: `time LEVEL label: message name=value …`.

import Logging

extension LogRecord {
    /// The record as one line of text, without a line end.
    var text: String {
        let level = self.level.rawValue.uppercased()
        var line = "\(self.timestamp) \(level) \(Self.escaped(self.label)): \(Self.escaped(self.message))"
        for (name, value) in self.facts { line += " \(Self.escaped(name))=\(Self.delimited(value))" }
        return line
    }

    /// Puts a value into quotes when a reader could not see its end.
    private static func delimited(_ value: String) -> String {
        let text = Self.escaped(value)
        guard text.isEmpty || text.contains(where: { " \"=".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\\\""))\""
    }

    /// Escapes every character that a terminal obeys or hides: controls (C0 and C1), formats such as bidi marks, and
    /// Unicode's line ends.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
