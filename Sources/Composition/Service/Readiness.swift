// SPDX-License-Identifier: Apache-2.0
// Decides whether this process can serve requests: the answer to `GET /readyz`.

import Postgres
import Schema
import Web

/// Asks the database at most once a second, however many callers ask for readiness.
actor Readiness {
    private let verify: @Sendable (PostgresConnection) async throws -> Void
    private var last: (at: ContinuousClock.Instant, verdict: Result<Void, any Error>)?

    init(_ verify: @escaping @Sendable (PostgresConnection) async throws -> Void) { self.verify = verify }

    /// Throws the reason when requests cannot be served: `NotReady` when the schema is wrong.
    func check(_ pool: PostgresPool) async throws {
        if let last, last.at + .seconds(1) > .now { return try last.verdict.get() }
        let verdict: Result<Void, any Error>
        do {
            try await pool.withConnection { try await self.verify($0) }
            verdict = .success(())
        } catch let error as SchemaError {
            verdict = .failure(NotReady("\(error)"))
        } catch {
            verdict = .failure(error)
        }
        self.last = (.now, verdict)
        try verdict.get()
    }
}
