// SPDX-License-Identifier: Apache-2.0
// A logger's way to standard error: each event becomes a record and waits for its turn as one line.

import Logging

/// Writes each event to standard error, by way of `LogQueue`, in one form.
struct LineLogHandler: LogHandler {
    let label: String
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        LogQueue.standardError.take(LogRecord(event, label: self.label, metadata: self.metadata), as: self.format)
    }
}
