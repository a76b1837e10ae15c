// SPDX-License-Identifier: Apache-2.0
// How everything that a tenant may see is read: in a transaction that is the tenant's own and can only read.

import Model
package import Postgres

/// Reads as a tenant. Each read is a transaction as `dialtone_tenant` with that tenant set, in one round trip.
///
/// Row-level security is the second wall, should a statement ever forget its `where`.
package struct TenantReads: Sendable {
    private let pool: PostgresPool
    private let shares: PoolShares
    private let timeLimit: Duration?
    let workers = WorkerSight()

    /// `shares` counts the reads of each tenant and key. A statement ends after `timeLimit`; nil: as the session says.
    package init(pool: PostgresPool, shares: PoolShares = PoolShares(), timeLimit: Duration? = nil) {
        self.pool = pool
        self.shares = shares
        self.timeLimit = timeLimit
    }

    /// Runs the statements as the reader, in one transaction and one round trip. Returns the rows of each.
    ///
    /// Throws `PoolShares.TooMany` when the reader's key or tenant has enough reads under way.
    ///
    /// Cancelled here: a read that waits for a connection is withdrawn, and a statement that was sent is stopped.
    func rows(as reader: Reader, _ statements: [SQL]) async throws -> [PostgresRows] {
        let owners = reader.key.map { [PoolShare.tenant(reader.tenant.rawValue), .key($0)] } ?? []
        return try await self.shares.hold(owners) {
            try await self.pool.withConnection { connection in
                let answers = try await connection.pipeline([
                    [Self.wall(reader.tenant, timeLimit: self.timeLimit)] + statements
                ])[0]
                // The first to fail has the reason; the others were not run.
                return Array(try answers.map { try $0.get() }.dropFirst())
            }
        }
    }

    /// Runs one statement for an operator, who sees the rows of all tenants. `key`: nil on the command line.
    ///
    /// Cancelled here: as in `rows`.
    func rowsOfAll(by key: String?, _ statement: SQL) async throws -> PostgresRows {
        try await self.shares.hold(key.map { [PoolShare.key($0)] } ?? []) {
            try await self.pool.withConnection { connection in
                let first: SQL = "select set_config('transaction_read_only', 'on', true)\(Self.limit(self.timeLimit))"
                let answers = try await connection.pipeline([[first, statement]])[0]
                return try answers.map { try $0.get() }[1]
            }
        }
    }

    /// Runs one statement for whoever looks on.
    ///
    /// Cancelled here: as in `rows`.
    package func rows(for onlooker: Onlooker, _ statement: SQL) async throws -> PostgresRows {
        switch onlooker {
        case .reader(let reader): try await self.rows(as: reader, [statement])[0]
        case .ofAll(let key): try await self.rowsOfAll(by: key, statement)
        }
    }

    /// Makes the transaction the tenant's own until its end: it can only read, whatever a statement says.
    ///
    /// It also keeps the statements to their indexes, behind a pooler too. A bitmap would read all of a tenant's jobs
    /// for each page.
    static func wall(_ tenant: TenantID, timeLimit: Duration?) -> SQL {
        """
        select set_config('transaction_read_only', 'on', true), set_config('enable_seqscan', 'off', true),
               set_config('enable_bitmapscan', 'off', true), set_config('role', 'dialtone_tenant', true),
               set_config('dialtone.tenant', \(tenant), true)\(Self.limit(timeLimit))
        """
    }

    /// One more column, which sets how long each later statement of the transaction may take. Nil: none.
    private static func limit(_ time: Duration?) -> SQL {
        guard let time else { return "" }
        let text = "\(Int(time / .milliseconds(1)))ms"
        return ", set_config('statement_timeout', \(text), true)"
    }
}
