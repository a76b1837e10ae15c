// SPDX-License-Identifier: Apache-2.0
// `dialtone demo`: starts a database, a simulated provider and the service on one machine, with nothing to set up.
//
// Then `DemoStory` acts as two tenants: it signs users up, waits for their credentials, and asks for a login token. All
// of it runs in this one process, except for the private PostgreSQL.

import Foundation
import Logging
import Postgres
import PrivatePostgres
import ServiceLifecycle
import Telemetry
import TelnyxSimulator
import Vault

package struct Demo: Sendable {
    package struct Options: Sendable {
        /// How many users sign up, over both tenants.
        package var users = 12
        /// Where the database and the key-encryption key are kept.
        package var folder = ".dialtone/demo"
        /// As host:port. Nil: port 8080 of this machine, or any free port when that is taken.
        package var listen: String?
        package init() {}
    }

    /// The key of the simulated provider, for its controls too.
    package static let providerKey = "demo-provider-key"

    private let options: Options
    private let progress: @Sendable (String) -> Void

    package init(_ options: Options, progress: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.progress = progress
    }

    /// Runs the demo. `show` gets the report while everything is up. The demo ends when `show` returns.
    package func run(_ show: (DemoReport) async throws -> Void) async throws {
        self.progress("starting a private PostgreSQL")
        let folder = URL(fileURLWithPath: self.options.folder).standardizedFileURL
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit()
        do {
            try await self.run(on: server, folder: folder, show)
        } catch {
            await self.end(server)
            throw error
        }
        await self.end(server)
    }

    private func run(
        on server: PrivatePostgres, folder: URL, _ show: (DemoReport) async throws -> Void
    ) async throws {
        try await self.createDatabase(on: server)
        let logger = Logger(label: "demo") { LogFormat.automatic.handler(label: $0, level: .error) }
        let simulatorPort = Promise<Int>()
        let simulator = try self.simulator(port: simulatorPort, logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let provided = ServiceGroup(services: [simulator], logger: logger)
            group.addTask {
                defer { simulatorPort.end() }
                try await provided.run()
            }
            let provider = "http://127.0.0.1:\(try await simulatorPort.value())"
            var settings = try await self.settings(server, folder: folder, provider: provider)
            self.progress("migrating the database")
            _ = try await Administration(settings).migrate(dryRun: false)
            let address = Promise<String>()
            let node = try await Node(settings, roles: [.api, .worker], logger: logger) { address.give($0) }
            let services = ServiceGroup(services: node.services, logger: logger)
            group.addTask {
                defer { address.end() }
                try await services.run()
            }
            settings.publicURL = try await address.value()
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await show(try await self.story(settings, provider: provider).run()))
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            await provided.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    private func end(_ server: PrivatePostgres) async {
        try? await server.stop()
        server.removeSocket()
    }

    // MARK: The parts

    /// Makes an empty database. The database of an earlier demo goes.
    private func createDatabase(on server: PrivatePostgres) async throws {
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await control.script("drop database if exists dialtone_demo with (force)")
        try await control.script("create database dialtone_demo")
        await control.close()
    }

    private func simulator(port: Promise<Int>, _ logger: Logger) throws -> TelnyxSimulator {
        var configuration = TelnyxSimulator.Configuration()
        configuration.apiKeys = [Self.providerKey]
        return try TelnyxSimulator(configuration: configuration, logger: logger) { port.give($0) }
    }

    private func settings(_ server: PrivatePostgres, folder: URL, provider: String) async throws -> Settings {
        try await Settings.read(flags: [
            "DATABASE_URL": server.url(database: "dialtone_demo"),
            "DIALTONE_KEK": "file:\(try self.kek(in: folder))",
            "TELNYX_API_KEY": Self.providerKey, "TELNYX_BASE_URL": "\(provider)/v2",
            "DIALTONE_LISTEN": self.options.listen ?? "127.0.0.1:\(PortProbe.isFree(8080) ? 8080 : 0)",
        ])
    }

    /// Returns the path of the demo's key-encryption key, which is made at first and then kept in the folder.
    private func kek(in folder: URL) throws -> String {
        let path = folder.appendingPathComponent("kek").path
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(
                atPath: path, contents: Data(LocalKeyEncryptionKey.generate().utf8),
                attributes: [.posixPermissions: 0o600])
        }
        return path
    }

    private func story(_ settings: Settings, provider: String) -> DemoStory {
        DemoStory(users: self.options.users, settings: settings, provider: provider, progress: self.progress)
    }
}
