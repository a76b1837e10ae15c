// SPDX-License-Identifier: Apache-2.0
// Waiting for the database to show something.

import Postgres

enum Waiting {
    /// Waits until the query has a row.
    static func until(
        _ statement: SQL, on database: PostgresConnection, for limit: Duration = .seconds(150),
        every pause: Duration = .milliseconds(20)
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try await database.query(statement).isEmpty {
            guard ContinuousClock.now < deadline else { throw BenchError.late("\(statement)") }
            try await Task.sleep(for: pause)
        }
    }

    /// Returns the number that the query has in its one row.
    static func number(_ statement: SQL, on database: PostgresConnection) async throws -> Int {
        let row = try await database.query(statement).first
        guard let number = try row?.decode(Int64.self) else { return 0 }
        return Int(number)
    }
}
