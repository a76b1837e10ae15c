// SPDX-License-Identifier: Apache-2.0
// A transaction around a piece of work. It always ends here, and only a commit that is known returns as done.

extension PostgresConnection {
    /// Runs BEGIN, the work and COMMIT, or ROLLBACK when the work throws.
    ///
    /// The isolation is read committed, whatever the server's default: what follows a lock must see what came before
    /// it.
    ///
    /// Throws the errors of the work, and `.commitUnknown` when the connection went away inside COMMIT. Cancelled here:
    /// inside the work its statements stop and it is rolled back; COMMIT and ROLLBACK are never cancelled.
    package nonisolated func withTransaction<Value>(_ work: () async throws -> Value) async throws -> Value {
        _ = try await self.query(Self.readCommitted)
        let value: Value
        do {
            value = try await work()
        } catch {
            // A rollback that fails has lost its connection, and the server rolls back by itself.
            _ = try? await self.query("rollback", shielded: true)
            throw error
        }
        try await self.commit()
        return value
    }

    static let readCommitted: SQL = "begin isolation level read committed"

    private nonisolated func commit() async throws(PostgresError) {
        let rows: PostgresRows
        do {
            rows = try await self.query("commit", shielded: true)
        } catch {
            guard error.code == .connectionLost else { throw error }
            throw PostgresError(.commitUnknown, "the connection was lost inside COMMIT: it may have happened")
        }
        // COMMIT of a failed transaction has the tag ROLLBACK and no error.
        guard rows.result.commandTag == "COMMIT" else {
            throw PostgresError(.server, "the transaction was rolled back", sqlState: "25P02")
        }
    }
}
