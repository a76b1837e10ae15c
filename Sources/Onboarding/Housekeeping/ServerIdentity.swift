// SPDX-License-Identifier: Apache-2.0
// By what a worker knows the database server, and whether the server lets itself be asked.

package import Postgres
import Queue

/// How a change of the server is known; `Incarnation.swift` explains what follows from each.
package enum ServerIdentity: String, Sendable {
    /// System identifier, timeline, start and file: each kind of change has its own name.
    case system
    /// Start and file alone, for a server that shows nothing else. Every restart may then be a restore.
    case start

    /// Asks what a worker must be able to ask, as the session's role. Throws `ServerIdentityHidden` with the first
    /// function that the server refuses or lacks, and `PostgresError` when it cannot be asked at all.
    package func verify(on connection: PostgresConnection) async throws {
        for (function, question) in self.questions {
            do throws(PostgresError) {
                _ = try await connection.query(question)
            } catch {
                guard error.code == .server, !error.isUnavailable else { throw error }
                throw ServerIdentityHidden(
                    function: function, words: error.message, isMatterOfRights: error.sqlState == "42501")
            }
        }
    }

    /// Functions that only a primary can run give null on a standby here. A refused one is an error all the same,
    /// because PostgreSQL looks at the right to a function before it runs anything.
    fileprivate var questions: [(function: String, question: SQL)] {
        let start: [(function: String, question: SQL)] = [
            ("pg_postmaster_start_time()", "select \(ServerClock.start)"),
            // Of any table: the ledger's may not be there yet.
            ("pg_relation_filenode(regclass)", "select pg_relation_filenode('pg_catalog.pg_class')::text"),
            ("pg_relation_filepath(regclass)", "select pg_relation_filepath('pg_catalog.pg_class')"),
        ]
        guard self == .system else { return start }
        let system: [(function: String, question: SQL)] = [
            ("pg_control_system()", "select 1 from pg_control_system()"),
            (
                "pg_current_wal_insert_lsn()",
                "select case when pg_is_in_recovery() then null else pg_current_wal_insert_lsn()::text end"
            ),
            (
                "pg_walfile_name(pg_lsn)",
                """
                select case when pg_is_in_recovery() then null
                            else pg_walfile_name(pg_current_wal_insert_lsn()) end
                """
            ),
        ]
        return start + system
    }
}

/// The server does not let a worker ask which server it is, so the worker claims nothing.
package struct ServerIdentityHidden: Error, CustomStringConvertible {
    package let function: String
    fileprivate let words: String
    /// Whether a grant mends it. A server that does not have the function, or not now, needs another way.
    fileprivate let isMatterOfRights: Bool

    package var description: String {
        let grant = self.isMatterOfRights ? ["grant execute on function \(self.function) to dialtone_service"] : []
        // What the weaker mode asks too is no better there.
        let isAskedAnyway = ServerIdentity.start.questions.contains { $0.function == self.function }
        let weaker = isAskedAnyway ? [] : ["set DIALTONE_SERVER_IDENTITY=start"]
        let remedy = (grant + weaker).joined(separator: ", or ")
        return "the worker cannot use \(self.function) (\(self.words)), so it claims nothing"
            + (remedy.isEmpty ? "" : "; \(remedy)")
    }
}
