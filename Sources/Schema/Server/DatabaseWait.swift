// SPDX-License-Identifier: Apache-2.0
// A start waits for a database that is not there yet: a server that boots, a serverless one that wakes up.

package import Postgres

package struct DatabaseWait: Sendable {
    private let limit: Duration
    private let pause: Duration

    /// `limit`: how long a start waits in all.
    package init(limit: Duration, pause: Duration = .milliseconds(500)) {
        self.limit = limit
        self.pause = pause
    }

    /// Tries until the database is there, and returns what the attempt returns. Throws the last error when the limit is
    /// over, and at once an error that time does not mend.
    ///
    /// `tell` gets the first error, and later each one that differs from the one before.
    /// Cancelled here: throws.
    package func first<Value>(
        tell: (PostgresError) -> Void, _ attempt: () async throws -> Value
    ) async throws -> Value {
        let deadline = ContinuousClock.now + self.limit
        var told = ""
        while true {
            do {
                return try await attempt()
            } catch let error as PostgresError where Self.mayPass(error) && ContinuousClock.now < deadline {
                if error.message != told { tell(error) }
                told = error.message
                try await Task.sleep(for: self.pause)
            }
        }
    }

    /// Whether time may mend the error. A server that refuses the login will refuse it again.
    static func mayPass(_ error: PostgresError) -> Bool {
        error.isUnavailable && !Self.refusals.contains { error.message.contains($0) }
    }

    /// libpq's words. `TLSAdvice` adds none of them, so that its advice makes no error final.
    private static let refusals = [
        "authentication failed", "no password supplied", "pg_hba.conf", "certificate verify failed",
        "root certificate file", "server certificate for", "valid client certificate", "server does not support SSL",
        "FATAL:  role \"", "permission denied",
    ]
}
