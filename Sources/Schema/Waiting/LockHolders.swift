// SPDX-License-Identifier: Apache-2.0
// Who holds a lock: process and state of each session, and never what it has asked.

import Postgres

enum LockHolders {
    /// Returns the sessions in words. `pids` is a statement with one column, the server processes.
    ///
    /// PostgreSQL hides the state of another login's session from a login without that right.
    static func text(of pids: SQL, on connection: PostgresConnection) async throws -> String {
        let sessions = try await connection.query(
            """
            select holder.pid, coalesce(session.state, 'state hidden from this login')
            from (\(pids)) as holder (pid) left join pg_stat_activity session on session.pid = holder.pid
            order by holder.pid
            """
        ).map { row in
            let (pid, state) = try row.decode(Int32.self, String.self)
            return "process \(pid) (\(state))"
        }
        return sessions.isEmpty ? Self.gone : sessions.joined(separator: ", ")
    }

    static let gone = "a session that has just ended"
}
