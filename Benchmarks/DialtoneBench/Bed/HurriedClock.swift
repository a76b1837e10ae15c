// SPDX-License-Identifier: Apache-2.0
// A database whose clock runs faster, so that a day of housekeeping passes in minutes.

import Postgres

/// Every interval of the ledger is measured by the server's clock. The functions that tell it are found by the search
/// path, and here it leads to others of the same names first. They tell the time since the database was made times
/// `factor`. No statement of the program is changed, and no interval of the ledger can be forgotten.
///
/// What a worker measures by its own clock stays as it is, such as a call's deadline. The pace and the rests of loops
/// that visit, walk and delete are those of a `HurriedWorker`.
struct HurriedClock {
    let factor: Int

    /// Gives the database this clock, for all sessions after this one.
    func install(in database: String, on connection: PostgresConnection) async throws {
        guard let row = try await connection.query("select pg_catalog.clock_timestamp()::text").first else { return }
        let start = try row.decode(String.self)
        func told(by name: String) -> String {
            """
            timestamptz '\(start)' + (pg_catalog.\(name)() - timestamptz '\(start)') * \(self.factor)
            """
        }
        let functions = [("clock_timestamp", "volatile"), ("statement_timestamp", "stable"), ("now", "stable")].map {
            """
            create function hurried.\($0)() returns timestamptz language sql \($1) as $$ select \(told(by: $0)) $$;
            """
        }
        // The planner puts each function's expression in place of its call, so an index scan may be bounded by it.
        try await connection.script(
            """
            create schema hurried;
            grant usage on schema hurried to public;
            \(functions.joined(separator: "\n"))
            alter database \(database) set search_path = hurried, pg_catalog, public;
            """)
    }
}
