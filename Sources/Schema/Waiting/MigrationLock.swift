// SPDX-License-Identifier: Apache-2.0
// The lock that lets one migration run at a time, and the wait for it.

import Postgres

/// A session advisory lock, whose key is a hash of a name.
enum MigrationLock {
    private static let key: SQL = "hashtextextended('dialtone.migrate', 0)"

    /// Waits for the lock and says who holds it. Throws `.waitedTooLong` after `options.wait`.
    ///
    /// Cancelled here: throws; the lock is not taken.
    static func take(on connection: PostgresConnection, _ options: MigrateOptions) async throws {
        let deadline = ContinuousClock.now + options.wait
        var told = ""
        while true {
            let row = try await connection.query("select pg_try_advisory_lock(\(Self.key))").first
            if try row?.decode(Bool.self) ?? false { return }
            let holders = try await LockHolders.text(of: Self.holders, on: connection)
            guard ContinuousClock.now < deadline else {
                throw SchemaError.waitedTooLong(seconds: options.waitInSeconds, holders: holders)
            }
            if holders != told { options.tell("waiting for another dialtone migrate: \(holders)") }
            told = holders
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Not cancellable: the session may live on.
    static func release(on connection: PostgresConnection) async {
        _ = try? await connection.query("select pg_advisory_unlock(\(Self.key))", shielded: true)
    }

    /// An advisory lock with one key has its high half in classid and its low half in objid, and objsubid 1
    /// (PostgreSQL, pg_locks).
    private static let holders: SQL = """
        select lock.pid from pg_locks lock
        where lock.locktype = 'advisory' and lock.objsubid = 1 and lock.granted
          and lock.database = (select oid from pg_database where datname = current_database())
          and lock.classid::bigint = ((\(key) >> 32) & 4294967295) and lock.objid::bigint = (\(key) & 4294967295)
        """
}
