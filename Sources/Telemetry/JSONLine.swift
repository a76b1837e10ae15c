// SPDX-License-Identifier: Apache-2.0
// A log line as JSON, for machines and short enough for people: `{"time","level","label","message",…metadata}`.

import Logging
import Model

extension LogRecord {
    /// The record as one JSON object, without a line end.
    var json: String {
        var line = "{\"time\":\"\(self.timestamp)\",\"level\":\"\(self.level.rawValue)\""
        line += ",\"label\":\(JSONText.quoted(self.label)),\"message\":\(JSONText.quoted(self.message))"
        for (name, value) in self.facts { line += ",\(JSONText.quoted(name)):\(JSONText.quoted(value))" }
        return line + "}"
    }
}
