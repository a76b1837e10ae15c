// SPDX-License-Identifier: Apache-2.0
// News of the provider for an operator: one line in a while, however many jobs meet the same trouble.

import Logging
import Synchronization

/// Logs the same news at most every ten seconds, with the number of times that it happened since the last line.
final class ThrottledLog: Sendable {
    private static let interval: Duration = .seconds(10)

    private struct Logged {
        var at: ContinuousClock.Instant
        var unsaid = 0
    }

    private let logger: Logger
    private let logged = Mutex<[String: Logged]>([:])

    init(logger: Logger) { self.logger = logger }

    /// Logs `message` unless the same news was logged less than ten seconds ago.
    ///
    /// `message` is constant text. `scope` tells the news of one connection from those of another.
    func log(
        _ message: String, level: Logger.Level = .warning, scope: String = "", _ metadata: Logger.Metadata = [:]
    ) {
        let unsaid = self.logged.withLock { logged -> Int? in
            let key = "\(message) \(scope)"
            if let last = logged[key], last.at + Self.interval > .now {
                logged[key]?.unsaid += 1
                return nil
            }
            if logged.count > 1000 { logged.removeAll() }
            defer { logged[key] = Logged(at: .now) }
            return logged[key]?.unsaid ?? 0
        }
        guard let unsaid else { return }
        var metadata = metadata
        if unsaid > 0 { metadata["also"] = "\(unsaid) times since the last line" }
        self.logger.log(level: level, "\(message)", metadata: metadata)
    }
}
