// SPDX-License-Identifier: Apache-2.0
// A PgBouncer of our own in front of a private server, in any of its modes, as people put one before their database.

import Foundation
import Postgres
package import PrivatePostgres

/// A running pooler on a port of 127.0.0.1 that lets one login in.
package struct PrivatePgBouncer: Sendable {
    /// What becomes of the settings that a client sends when it connects (`options`).
    package enum Options: Sendable, CaseIterable {
        /// The connection is refused: PgBouncer's default.
        case refused
        /// The connection is made without them, as `ignore_startup_parameters = options` asks for.
        case dropped
    }

    /// For how long a client keeps a server session (`pool_mode`).
    package enum Mode: String, Sendable {
        case session, transaction, statement
    }

    /// A login with a password. The server must have the role.
    package struct Login: Sendable {
        package let name: String
        package let password: String

        package init(name: String, password: String) {
            self.name = name
            self.password = password
        }
    }

    private let port: Int
    private let login: Login

    /// Returns a `DATABASE_URL` that leads through the pooler.
    package func url(database: String) -> String {
        "postgresql://\(self.login.name):\(self.login.password)@127.0.0.1:\(self.port)/\(database)?connect_timeout=30"
    }

    // MARK: The program

    /// Whether this machine has a PgBouncer.
    package static var isInstalled: Bool { Self.program != nil }

    /// Debian puts it into a folder that is not in every user's `PATH`.
    private static var program: String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (["/usr/sbin"] + path.split(separator: ":").map(String.init)).map { $0 + "/pgbouncer" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    // MARK: Its life

    /// Runs a pooler in front of `server`, lends it to `work` and ends it.
    package static func with(
        _ server: PrivatePostgres, _ login: Login, mode: Mode = .transaction, options: Options,
        _ work: (PrivatePgBouncer) async throws -> Void
    ) async throws {
        guard let program = Self.program else { throw DidNotStart(log: "there is no program pgbouncer") }
        let owner = try Owner.current()
        let folder = URL(fileURLWithPath: try owner.temporaryFolder(prefix: "dialtone-pgbouncer-"))
        let pooler = PrivatePgBouncer(port: try FreePort.find(), login: login)
        let settings = folder.appendingPathComponent("pgbouncer.ini")
        try owner.write(pooler.settings(server, mode, options: options, users: folder), to: settings)
        try owner.write("\"\(login.name)\" \"\(login.password)\"\n", to: folder.appendingPathComponent("users.txt"))
        let life = try Self.run(owner.commandLine(program, [settings.path]), in: folder)
        let outcome: Result<Void, any Error>
        do {
            try await pooler.untilItAnswers(before: server, log: folder.appendingPathComponent("log"))
            outcome = .success(try await work(pooler))
        } catch {
            outcome = .failure(error)
        }
        try life.fileHandleForWriting.close()
        try outcome.get()
    }

    /// Four server sessions for all clients, so that consecutive transactions of a client meet different sessions. In
    /// session mode each client of a service needs one.
    private func settings(_ server: PrivatePostgres, _ mode: Mode, options: Options, users folder: URL) -> String {
        """
        [databases]
        * = host=\(server.socketFolder) port=5432
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = \(self.port)
        unix_socket_dir =
        pool_mode = \(mode.rawValue)
        default_pool_size = \(mode == .session ? 60 : 4)
        max_client_conn = 200
        auth_type = scram-sha-256
        auth_file = \(folder.path)/users.txt
        \(options == .dropped ? "ignore_startup_parameters = options" : "")

        """
    }

    /// Starts the program and returns a pipe. The program ends and its folder goes when the pipe's writer is closed,
    /// also because this process was killed.
    private static func run(_ line: [String], in folder: URL) throws -> Pipe {
        let life = Pipe.own()
        var command = Command(
            "/bin/sh",
            [
                "-c",
                """
                trap '' INT TERM
                folder=$1; shift
                "$@" >"$folder/log" 2>&1 &
                cat >/dev/null
                kill -KILL $! 2>/dev/null
                wait
                rm -rf "$folder"
                """,
                "guard", folder.path,
            ] + line)
        command.input = .pipe(life)
        _ = try command.start()
        return life
    }

    /// Waits until a query goes through the pooler, for 30 seconds. The pause between two attempts is the server's, so
    /// that the test does not sleep.
    private func untilItAnswers(before server: PrivatePostgres, log: URL) async throws {
        let clock = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        let deadline = ContinuousClock.now + .seconds(30)
        var answers = await self.answers()
        while !answers, ContinuousClock.now < deadline {
            _ = try await clock.query("select pg_sleep(0.02)::text")
            answers = await self.answers()
        }
        await clock.close()
        guard answers else { throw DidNotStart(log: (try? String(contentsOf: log, encoding: .utf8)) ?? "no log") }
    }

    private func answers() async -> Bool {
        guard let configuration = try? PostgresConfiguration(url: self.url(database: "postgres")),
            let connection = try? await PostgresConnection.connect(configuration)
        else { return false }
        let rows = try? await connection.query("select 1")
        await connection.close()
        return rows != nil
    }

    package struct DidNotStart: Error, CustomStringConvertible {
        let log: String

        package var description: String { "PgBouncer does not answer: \(self.log.suffix(2000))" }
    }
}

extension Owner {
    /// Writes a file that the user may read and others may not.
    fileprivate func write(_ text: String, to file: URL) throws {
        try text.write(to: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        try self.own(file.path)
    }
}
