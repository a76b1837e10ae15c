// SPDX-License-Identifier: Apache-2.0
// Log lines as text, for a person at a terminal.

package import Logging
import Model

/// Writes `time LEVEL label: message name=value …` to standard error, by way of `LogQueue`.
package struct HumanLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String

    package init(label: String, level: Logger.Level) {
        self.label = label
        self.logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        LogQueue.standardError.take(LogRecord(event, label: self.label, metadata: self.metadata), as: .text)
    }
}

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
