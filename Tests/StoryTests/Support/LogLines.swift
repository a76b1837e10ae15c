// SPDX-License-Identifier: Apache-2.0
// Keeps what a logger was told, for tests that read a start's log lines.

import Logging
import Synchronization
import Testing

/// What a logger was told.
final class LogLines: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let text: String
    }

    private let lines = Mutex<[Line]>([])

    var all: [Line] { self.lines.withLock { $0 } }
    /// Keeps lines of every level.
    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    /// Waits until there is such a line, for a minute at most.
    func waits(for isWanted: (String) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !self.all.contains(where: { isWanted($0.text) }) {
            try #require(ContinuousClock.now < deadline, "\(self.all.map(\.text).suffix(20))")
            await Task.yield()
        }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = "\(event.message) \(event.metadata ?? [:])"
            self.lines.lines.withLock { $0.append(Line(level: event.level, text: text)) }
        }
    }
}
