// SPDX-License-Identifier: Apache-2.0
// What one log line says, before it has a form.

import Foundation
import Logging

struct LogRecord: Sendable {
    var time: Date
    var level: Logger.Level
    var label: String
    var message: String
    /// In the order of their names.
    var facts: [(name: String, value: String)]

    init(_ event: LogEvent, label: String, metadata: Logger.Metadata, time: Date = Date()) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        self.init(
            time: time, level: event.level, label: label, message: event.message.description,
            facts: all.map { (name: $0.key, value: $0.value.description) })
    }

    init(time: Date, level: Logger.Level, label: String, message: String, facts: [(name: String, value: String)]) {
        self.time = time
        self.level = level
        self.label = label
        self.message = message
        self.facts = facts
    }

    var timestamp: String { self.time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    /// About how many bytes the record takes in memory and as a line.
    var size: Int {
        self.facts.reduce(100 + self.message.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 10 }
    }

    // MARK: Lines of requests

    /// What a refused request has in common with others; nil for a line that is not about one request's problem.
    ///
    /// Anybody may cause such lines, as often as he likes. Lines with the same kind are therefore summed.
    var kindOfProblem: String? {
        guard self.facts.contains(where: { $0.name == "request_id" }),
            let code = self.facts.first(where: { $0.name == "code" })?.value
        else { return nil }
        let source = self.facts.first { $0.name == "source" }?.value ?? ""
        return "\(self.level) \(self.message) \(code) \(source)"
    }

    /// Returns the line that stands for `times` more lines of the same kind.
    func summing(_ times: Int, at time: Date) -> LogRecord {
        var sum = self
        sum.time = time
        sum.facts = self.facts.filter { $0.name != "request_id" }
        sum.facts.insert((name: "also", value: "\(times) times since the last line"), at: 0)
        return sum
    }
}
