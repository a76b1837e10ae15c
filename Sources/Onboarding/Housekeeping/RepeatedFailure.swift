// SPDX-License-Identifier: Apache-2.0
// A failure that repeats: one tick that fails says little, a minute of them is news for an operator.

import Postgres

/// Counts how long the same failure has lasted.
struct RepeatedFailure: Sendable {
    private static let patience: Duration = .seconds(60)

    private var kind: String?
    private var since: ContinuousClock.Instant?

    /// Takes note of a tick's failure. Returns true once for each minute in which every tick has failed the same way.
    mutating func isNews(_ error: any Error, at now: ContinuousClock.Instant) -> Bool {
        let kind = Self.kind(of: error)
        guard let since, self.kind == kind else {
            self.kind = kind
            self.since = now
            return false
        }
        guard now - since >= Self.patience else { return false }
        self.since = now
        return true
    }

    /// Takes note of a tick that has done its work.
    mutating func end() {
        self.kind = nil
        self.since = nil
    }

    /// The server's code where there is one, because a message may hold what differs each time.
    private static func kind(of error: any Error) -> String {
        guard let error = error as? PostgresError else { return "\(error)" }
        return "\(error.code.rawValue) \(error.sqlState ?? "")"
    }
}
