// SPDX-License-Identifier: Apache-2.0
// Tells the workers of other processes that an event has left a job for them.

import Postgres
import Queue

/// Sends a NOTIFY after events were committed. Several signals that come close together cause one NOTIFY.
///
/// A NOTIFY takes a lock on the whole database until its transaction commits. It is therefore sent after the events'
/// commit, on a connection of its own.
struct JobNotifier: Sendable {
    let pool: PostgresPool
    let wakeup = Wakeup()

    func run() async {
        while !Task.isCancelled {
            await self.wakeup.wait()
            guard !Task.isCancelled else { return }
            // A NOTIFY is only a hint. A lost one costs at most one poll interval.
            _ = try? await self.pool.query("select pg_notify(\(JobQueue.channel), '')")
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}
