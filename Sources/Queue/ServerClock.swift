// SPDX-License-Identifier: Apache-2.0
// The database server's clock, by which every node places jobs in the queue, and by which it knows the server.

package import Postgres

/// Expressions in microseconds since 1970.
package enum ServerClock {
    /// When this server's postmaster started. No two servers, and no two starts of one, agree on it.
    package static let start: SQL = "(extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint"

    /// The time when the server got the statement. It is the same throughout the statement, so it may bound an index
    /// scan.
    package static let statementStart: SQL = "(extract(epoch from statement_timestamp()) * 1000000)::bigint"

    /// The time as the row is written. It is volatile, so it bounds no index scan.
    package static let now: SQL = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
}
