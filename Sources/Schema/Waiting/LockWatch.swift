// SPDX-License-Identifier: Apache-2.0
// A migration that waits for a table's lock says whose it is, and gives up in time.

import Postgres
import Synchronization

/// Runs work under a limit for lock waits, and watches it from a second connection.
enum LockWatch {
    /// Throws `.waitedTooLong` when a lock did not become free within `options.wait`. A long statement that waits for
    /// nobody has no limit.
    static func during<Value: Sendable>(
        _ options: MigrateOptions, of connection: PostgresConnection, _ work: () async throws -> Value
    ) async throws -> Value {
        let limit = "\(max(1, options.waitInMilliseconds))ms"
        _ = try await connection.query("select set_config('lock_timeout', \(limit), false)")
        let watched = Watched()
        let pid = await connection.backendPID
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { group in
            if let watcher = options.watcher {
                group.addTask { await Self.watch(pid, on: watcher, watched, options.tell) }
            }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await work())
            } catch {
                outcome = .failure(error)
            }
            group.cancelAll()
            return outcome
        }
        _ = try? await connection.query("reset lock_timeout", shielded: true)
        // 55P03: lock_not_available.
        if case .failure(let error as PostgresError) = outcome, error.sqlState == "55P03" {
            throw SchemaError.waitedTooLong(
                seconds: options.waitInSeconds, holders: watched.holders.withLock { $0 } ?? "another session")
        }
        return try outcome.get()
    }

    /// Whom the migration was seen to wait for last.
    private final class Watched: Sendable {
        let holders = Mutex<String?>(nil)
    }

    /// Looks every half second until it is cancelled.
    private static func watch(
        _ pid: Int32, on watcher: PostgresConnection, _ watched: Watched, _ tell: @Sendable (String) -> Void
    ) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            let blockers: SQL = "select unnest(pg_blocking_pids(\(pid)))"
            guard let isFree = try? await watcher.query(blockers).isEmpty, !isFree,
                let holders = try? await LockHolders.text(of: blockers, on: watcher), holders != LockHolders.gone
            else { continue }
            let isNews = watched.holders.withLock { known in
                defer { known = holders }
                return known != holders
            }
            if isNews { tell("waiting for a lock of \(holders)") }
        }
    }
}

extension MigrateOptions {
    var waitInMilliseconds: Int64 {
        self.wait.components.seconds * 1000 + self.wait.components.attoseconds / 1_000_000_000_000_000
    }
    var waitInSeconds: Int { Int(self.wait.components.seconds) }
}
