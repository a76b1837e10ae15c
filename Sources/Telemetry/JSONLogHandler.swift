// SPDX-License-Identifier: Apache-2.0
// Log lines as JSON, one object a line, on standard error: made for machines, and short enough for people.

import Foundation
package import Logging
import Model

/// Writes `{"time","level","label","message",…metadata}`.
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
        var line = "{\"time\":\"\(Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))\""
        line += ",\"level\":\"\(event.level.rawValue)\",\"label\":\(JSONText.quoted(self.label))"
        line += ",\"message\":\(JSONText.quoted(event.message.description))"
        let all = self.metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += ",\(JSONText.quoted(key)):\(JSONText.quoted(value.description))"
        }
        // One write per line, so that lines of several tasks do not mix. When the other end has closed the pipe, the
        // line is dropped: the service goes on without its log.
        try? FileHandle.standardError.write(contentsOf: Data((line + "}\n").utf8))
    }
}
