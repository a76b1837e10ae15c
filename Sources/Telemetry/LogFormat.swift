// SPDX-License-Identifier: Apache-2.0
// The two forms of a log line: JSON for machines, text for a person at a terminal.

import Glibc
package import Logging

package enum LogFormat: String, Sendable {
    case json, text

    /// Text when a person reads standard error on a terminal, and JSON otherwise.
    package static var automatic: LogFormat { isatty(STDERR_FILENO) == 1 ? .text : .json }

    /// Returns a handler that writes this form to standard error and never waits for its reader.
    package func handler(label: String, level: Logger.Level) -> any LogHandler {
        LineLogHandler(label: label, format: self, logLevel: level)
    }

    /// The record as one line, with its line end.
    func line(of record: LogRecord) -> String {
        switch self {
        case .json: record.json + "\n"
        case .text: record.text + "\n"
        }
    }
}
