// SPDX-License-Identifier: Apache-2.0
// A transaction around a piece of work: whatever happens inside, it ends here, and only a commit that is known says
// done.

extension PostgresConnection {
    /// BEGIN, the work, COMMIT; ROLLBACK when the work throws.
    ///
    /// Throws what the work throws; `.commitUnknown` when the connection went away inside COMMIT. Cancelled here:
    /// inside the work its statements stop and it is rolled back; COMMIT and ROLLBACK are never cancelled.
    package nonisolated func withTransaction<Value>(_ work: () async throws -> Value) async throws -> Value {
        _ = try await self.query("begin")
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

    private nonisolated func commit() async throws(PostgresError) {
        let rows: PostgresRows
        do {
            rows = try await self.query("commit", shielded: true)
        } catch {
            guard error.code == .connectionLost else { throw error }
            throw PostgresError(.commitUnknown, "the connection was lost inside COMMIT: it may have happened")
        }
        // COMMIT of a failed transaction answers ROLLBACK, without an error.
        guard rows.result.commandTag == "COMMIT" else {
            throw PostgresError(.server, "the transaction was rolled back", sqlState: "25P02")
        }
    }
}
