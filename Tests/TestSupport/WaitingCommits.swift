// SPDX-License-Identifier: Apache-2.0
// Holds commits in the moment in which their outcome is unknown: flushed, and waiting for a standby that is not there.

package import Postgres
package import PrivatePostgres

/// A server whose commits all wait until a test ends their wait.
package struct WaitingCommits: Sendable {
    private let admin: PostgresConnection

    /// Returns when a commit has been seen to wait. The setting takes effect only some time after it was made, when the
    /// checkpointer has read it.
    package init(on server: PrivatePostgres, admin: PostgresConnection) async throws {
        self.admin = admin
        try await admin.script("create table public.probe (id int8)")
        try await admin.script("alter system set synchronous_standby_names = 'nobody'")
        try await admin.script("select pg_reload_conf()")
        let probe = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        async let isOver: Void = Self.write(on: probe)
        try await self.endOne("pg_terminate_backend", of: "public.probe")
        await isOver
    }

    private static func write(on probe: PostgresConnection) async {
        while (try? await probe.query("insert into public.probe values (1)")) != nil {}
    }

    /// Waits until a session waits for the standby, and ends its wait by `function`. Such a session has flushed its
    /// commit. With pg_cancel_backend it goes on with a warning. With pg_terminate_backend it is gone. `words`: only a
    /// session whose statement has these words among its first thousand characters.
    package func endOne(_ function: String, of words: String = "") async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        let statement = SQL(
            stringLiteral: """
                select \(function)(pid), pid from pg_stat_activity
                where wait_event = 'SyncRep' and position('\(words)' in query) > 0 limit 1
                """)
        while true {
            guard ContinuousClock.now < deadline else { throw NobodyWaits() }
            let rows = try await self.admin.query(statement)
            guard let row = rows.first else { continue }
            let (_, pid) = try row.decode(Bool.self, Int32.self)
            while try await !self.admin.query(
                "select 1 from pg_stat_activity where pid = \(pid) and wait_event = 'SyncRep'"
            ).isEmpty {}
            return
        }
    }

    /// Lets commits wait no more.
    package func end() async throws {
        try await self.admin.script("alter system reset synchronous_standby_names")
        try await self.admin.script("select pg_reload_conf()")
    }

    package struct NobodyWaits: Error {}
}
