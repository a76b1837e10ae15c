// SPDX-License-Identifier: Apache-2.0
// A desk with a database server of its own, which a test stops, makes read-only or freezes.

import Foundation
import Glibc
import Postgres
import PrivatePostgres
import TestSupport
import Testing

struct ServerDesk: OperatorDesk {
    let server: PrivatePostgres
    var environment: [String: String]

    /// Lends a migrated database with the tenant acme, and a simulated provider. No service runs.
    static func with(_ work: (inout ServerDesk) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-desk-\(UUID())")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await Self.with(server, work))
        } catch {
            outcome = .failure(error)
        }
        try? await server.stop(mode: "immediate")
        server.remove()
        try outcome.get()
    }

    private static func with(
        _ server: PrivatePostgres, _ work: (inout ServerDesk) async throws -> Void
    ) async throws {
        let (simulator, provider) = try await Desk.start(
            ["simulator", "--listen", "127.0.0.1:0", "--api-key", "test-key"], [:])
        defer { simulator.terminate() }
        let key = try await Program.run(["vault", "keygen"]).output
        var desk = ServerDesk(
            server: server,
            environment: [
                "DATABASE_URL": server.url(), "DIALTONE_KEK": "env:KEK", "TELNYX_API_KEY": "test-key",
                "KEK": key.trimmingCharacters(in: .newlines), "DIALTONE_LISTEN": "127.0.0.1:0",
            ])
        desk.environment["TELNYX_BASE_URL"] = provider["base_url"]
        try await desk.done("migrate")
        try await desk.done("tenant", "create", "acme", "--connection-id", "1000000001")
        try await work(&desk)
    }

    // MARK: The server

    /// Runs the statements as the superuser, also in a read-only spell. Returns the rows of the last one.
    @discardableResult
    func administer(_ statements: SQL...) async throws -> [PostgresRow] {
        let url = self.server.url() + "&target_session_attrs=any"
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        try await admin.script("set default_transaction_read_only = off")
        var rows: [PostgresRow] = []
        for statement in statements { rows = Array(try await admin.query(statement)) }
        await admin.close()
        return rows
    }

    /// Waits until the statement returns a row, for 30 seconds. The pause between two looks is the server's.
    func until(_ statement: SQL) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await self.administer(statement).isEmpty {
            try #require(ContinuousClock.now < deadline, "\(statement) returned no row")
            try await self.administer("select pg_sleep(0.05)::text")
        }
    }

    /// Makes every session read-only. With `endsSessions` all of them end, so that new ones are born read-only.
    func beginReadOnlySpell(endsSessions: Bool) async throws {
        try await self.administer(
            "alter system set default_transaction_read_only = on", "select pg_reload_conf()::text")
        guard endsSessions else { return }
        try await self.administer(
            """
            select pg_terminate_backend(pid)::text from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid()
            """)
    }

    func endReadOnlySpell() async throws {
        try await self.administer(
            "alter system reset default_transaction_read_only", "select pg_reload_conf()::text")
    }

    /// Stops every process of the server while `work` runs: nothing answers, and no connection breaks.
    func whileFrozen(_ work: () async throws -> Void) async throws {
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: self.server.url()))
        let file = try #require(try await admin.query("select pg_read_file('postmaster.pid')").first)
        let text: String = try file.decode(String.self)
        let line = text.split(separator: "\n").first.map(String.init) ?? ""
        let postmaster = try #require(Int32(line))
        kill(postmaster, SIGSTOP)
        defer { kill(postmaster, SIGCONT) }
        // A stopped postmaster makes no more processes, so this list is whole.
        let rows = try await admin.query("select pid from pg_stat_activity where pid <> pg_backend_pid()")
        let others = try rows.map { try $0.decode(Int32.self) }
        for process in others { kill(process, SIGSTOP) }
        defer { for process in others { kill(process, SIGCONT) } }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work())
        } catch {
            outcome = .failure(error)
        }
        await admin.close()
        try outcome.get()
    }
}
