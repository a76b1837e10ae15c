// SPDX-License-Identifier: Apache-2.0
// A log line as text, for a person at a terminal: `time LEVEL label: message name=value …`.

import Logging
import Model

extension LogRecord {
    /// The record as one line of text, without a line end.
    var text: String {
        let level = self.level.rawValue.uppercased()
        var line = "\(self.timestamp) \(level) \(VisibleText.escaped(self.label)): \(VisibleText.escaped(self.message))"
        for (name, value) in self.facts { line += " \(VisibleText.escaped(name))=\(Self.delimited(value))" }
        return line
    }

    /// Puts a value into quotes when a reader could not see its end.
    private static func delimited(_ value: String) -> String {
        let text = VisibleText.escaped(value)
        guard text.isEmpty || text.contains(where: { " \"=".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\\\""))\""
    }
}
