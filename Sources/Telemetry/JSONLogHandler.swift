// SPDX-License-Identifier: Apache-2.0
// Log lines as JSON, one object a line: made for machines, and short enough for people.

package import Logging
import Model

/// Writes `{"time","level","label","message",…metadata}` to standard error, by way of `LogQueue`.
package struct JSONLogHandler: LogHandler {
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
        LogQueue.standardError.take(LogRecord(event, label: self.label, metadata: self.metadata), as: .json)
    }
}

extension LogRecord {
    /// The record as one JSON object, without a line end.
    var json: String {
        var line = "{\"time\":\"\(self.timestamp)\",\"level\":\"\(self.level.rawValue)\""
        line += ",\"label\":\(JSONText.quoted(self.label)),\"message\":\(JSONText.quoted(self.message))"
        for (name, value) in self.facts { line += ",\(JSONText.quoted(name)):\(JSONText.quoted(value))" }
        return line + "}"
    }
}
