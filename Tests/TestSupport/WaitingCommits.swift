// SPDX-License-Identifier: Apache-2.0
// A server whose commits wait, flushed, for a standby that is not there: the moment in which a commit's outcome is
// unknown.

package import Postgres
package import PrivatePostgres

package struct WaitingCommits: Sendable {
    private let admin: PostgresConnection

    /// Returns when the server is known to wait: the setting takes effect some time after it was made, at the
    /// checkpointer.
    package init(on server: PrivatePostgres, admin: PostgresConnection) async throws {
        self.admin = admin
        try await admin.script("create table public.probe (id int8)")
        try await admin.script("alter system set synchronous_standby_names = 'nobody'")
        try await admin.script("select pg_reload_conf()")
        let probe = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        async let isOver: Void = Self.write(on: probe)
        try await self.endOne("pg_terminate_backend")
        await isOver
    }

    private static func write(on probe: PostgresConnection) async {
        while (try? await probe.query("insert into public.probe values (1)")) != nil {}
    }

    /// Waits until a session waits for the standby, which is after its own flush, and ends its wait by `function`: with
    /// pg_cancel_backend it goes on with a warning, with pg_terminate_backend it is gone.
    package func endOne(_ function: String) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        let statement = SQL(
            stringLiteral: "select \(function)(pid), pid from pg_stat_activity where wait_event = 'SyncRep' limit 1")
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

    /// Commits wait no more.
    package func end() async throws {
        try await self.admin.script("alter system reset synchronous_standby_names")
        try await self.admin.script("select pg_reload_conf()")
    }

    package struct NobodyWaits: Error {}
}
