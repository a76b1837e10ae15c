// SPDX-License-Identifier: Apache-2.0
// One statement in another role: a request made for a tenant reads behind row-level security, in one round trip.

extension PostgresPool {
    /// Runs one statement as `role`, with one setting, and returns its rows.
    ///
    /// Role and setting end with the statement. Both are one group of a pipeline, which is one implicit transaction.
    /// It holds behind a pooler in transaction mode too. The statement is parsed and planned in the role, because the
    /// server works a pipeline off in order.
    /// Throws the errors of `PostgresConnection.pipeline`, `.poolTimeout` and `.poolUnavailable`. A login that may not
    /// take the role gets the server's refusal (SQLSTATE 42501).
    /// Cancelled here: a waiting lease is withdrawn. A statement that was sent ends as in `PostgresConnection.query`.
    package func query(
        _ statement: SQL, as role: String, with setting: (name: String, value: String)
    ) async throws -> PostgresRows {
        // `set local` would warn outside a transaction block, and takes no parameters.
        let enter: SQL = """
            select set_config('role', \(role), true), set_config(\(setting.name), \(setting.value), true)
            """
        return try await self.withConnection { connection in
            let results = try await connection.pipeline([[enter, statement]])[0]
            _ = try results[0].get()
            return try results[1].get()
        }
    }
}
