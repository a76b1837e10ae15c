// SPDX-License-Identifier: Apache-2.0
// Transactions that have read `job_log` and stay open for longer than a round, as a backup's does.

import Postgres
import Synchronization

final class LongReaders: Sendable {
    struct Counts: Encodable, Sendable {
        var opened = 0
        /// The longest time that a statement waited for a lock on `job_log` behind a reader, in milliseconds.
        var longestWaitMs = 0.0
    }

    private let state = Mutex(Counts())

    var counts: Counts { self.state.withLock { $0 } }

    /// Reads the log in a transaction, which then stays open for this time.
    func open(at url: String, for time: Duration) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        // An earlier reader may hold it.
        try? await connection.script(Self.dropLastPartition)
        do {
            _ = try await connection.query("begin isolation level repeatable read read only")
            _ = try await connection.query("select count(*) from dialtone.job_log")
        } catch {
            await connection.close()
            throw error
        }
        self.state.withLock { $0.opened += 1 }
        // Unstructured, because it ends by itself while the rounds go on.
        Task { await self.stay(on: connection, for: time) }
    }

    /// Looks meanwhile how long others wait. A server that goes away ends the reader.
    private func stay(on connection: PostgresConnection, for time: Duration) async {
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline, let rows = try? await connection.query(Self.longestWait) {
            if let wait = try? rows.first?.decode(Double.self) {
                self.state.withLock { $0.longestWaitMs = max($0.longestWaitMs, wait.rounded()) }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
        await connection.close()
    }

    /// A worker makes the partition again when it starts, as at midnight. That needs a lock which no reader allows. The
    /// partition of the day after tomorrow is empty.
    private static let dropLastPartition = """
        set lock_timeout = '500ms';
        do $$ begin
            execute format('drop table if exists dialtone.%I',
                           'job_log_' || to_char((now() at time zone 'UTC')::date + 2, 'YYYYMMDD'));
        end $$
        """

    /// The statement that makes the partition does not count: it may wait as long as nobody waits for it.
    private static let longestWait: SQL = """
        select coalesce(max(extract(epoch from clock_timestamp() - waitstart)) * 1000, 0)::float8
        from pg_locks
        where relation = 'dialtone.job_log'::regclass and not granted and mode <> 'AccessExclusiveLock'
        """
}
