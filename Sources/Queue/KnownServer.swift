// SPDX-License-Identifier: Apache-2.0
// Whether the database that answers is the one that the ledger was last met on, as cheaply as a claim must ask it.

package import Postgres

/// Expressions over the row of `dialtone.incarnation`.
///
/// **The file.** A dump that is loaded into the running server keeps the server's start, and brings an old row with it.
/// The file of the table tells the two apart: a relation's file has the number of its database and a number of its own.
/// PostgreSQL reads both from its caches. So a claim asks too, and there is no time in which jobs of a loaded dump
/// could be claimed under trust that the dump has brought.
package enum KnownServer {
    /// The oid of the database that answers.
    package static let database: SQL =
        "(select pg_database.oid::bigint from pg_database where pg_database.datname = current_database())"

    /// The number of the file in which `incarnation` lies.
    package static let file: SQL = "pg_relation_filenode('dialtone.incarnation')::bigint"

    /// True when the row is of the server and the database that answer. System and timeline are not asked for: where
    /// they are others, so is the start.
    package static let answers: SQL = """
        (incarnation.started = \(ServerClock.start)
         and pg_relation_filepath('dialtone.incarnation')
             like '%/' || incarnation.database_oid || '/' || incarnation.filenode)
        """

    /// True when `era` is the ledger's and the row is of the server that answers. PostgreSQL evaluates it once per
    /// statement, before any scan. Null when nobody has met a server.
    package static func isOf(era: Int64) -> SQL {
        "(select incarnation.era = \(era) and \(Self.answers) from dialtone.incarnation)"
    }
}
