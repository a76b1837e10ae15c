// SPDX-License-Identifier: Apache-2.0
// Everything that runs in a chaos test, how it is built, and how to reach it.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import TestSupport

/// One whole Dialtone on real processes.
///
/// Two `api` and two `worker` processes share a database (`Cluster`), which has a synchronous standby. One of the four
/// goes through PgBouncer (`Pooler`), if this machine has it. The provider is the simulator, a process with its state
/// on disk. Each process reaches the database through a network of its own (`DatabaseNetwork`), and each worker the
/// provider too (`Relay`). A network can lose, hold or refuse bytes. Every process starts again when it ends
/// (`Processes`).
struct Deployment: Sendable {
    static let tenants = ["acme", "globex"]
    static let tagCapacity = 40
    static let connections = ["1000000000", "1000000001"]
    private static let apiNames = ["api-0", "api-1"]
    private static let workerNames = ["worker-0", "worker-1"]

    let settings: Settings
    let processes: Processes
    /// The simulator's address.
    let provider: String
    let apis: [String]
    /// By tenant: the hook's path, its secret, and a key that may ask for tokens.
    let hooks: [(path: String, secret: String, key: String)]
    let http: HTTPClient
    /// Each worker's network to the provider.
    let relays: [Relay]
    /// Each process's network to the database.
    let networks: [DatabaseNetwork]
    let readers = LongReaders()

    /// All ways to the database.
    var databaseRelays: [Relay] { self.networks.flatMap(\.relays) }

    /// The process that goes through PgBouncer; nil without PgBouncer.
    var pooled: String? { self.networks.first { $0.isPooled }?.process }

    static func build(on cluster: Cluster, in folder: URL) async throws -> Deployment {
        let kek = folder.appendingPathComponent("kek")
        try Administration.generateKey().write(to: kek, atomically: true, encoding: .utf8)
        let ports = try (0..<5).map { _ in try FreePort.find() }
        let provider = "http://127.0.0.1:\(ports[0])"
        let environment = Self.environment(database: cluster.url, kek: kek, provider: provider)
        let settings = try await Settings.read(flags: environment)
        let administration = Administration(settings)
        _ = try await administration.migrate(dryRun: false)
        let hooks = try await Self.createTenants(administration)
        let pooler = try Pooler.make(before: cluster, in: folder)
        if pooler != nil { try await cluster.script("create role \(Pooler.login) login in role dialtone_service") }
        let pooled = (Self.apiNames + Self.workerNames).randomElement()
        let networks = try (Self.apiNames + Self.workerNames).map { process in
            try DatabaseNetwork(of: process, to: cluster, through: process == pooled ? pooler : nil)
        }
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("dialtone")
        let deployment = Deployment(
            settings: settings, processes: Processes(program, environment, log: folder.appendingPathComponent("log")),
            provider: provider, apis: ports[1...2].map { "http://127.0.0.1:\($0)" }, hooks: hooks,
            http: HTTPClient(configuration: Self.httpConfiguration),
            relays: ports[3...].map { Relay(port: $0, to: .port(ports[0])) }, networks: networks)
        deployment.start(
            pooler, simulator: ports[0], apis: ports[1...2],
            journal: folder.appendingPathComponent("provider.journal"))
        return deployment
    }

    /// Returns the settings of every process. The times are short, so that a run of minutes meets every deadline.
    private static func environment(database: String, kek: URL, provider: String) -> [String: String] {
        [
            "DATABASE_URL": database, "DIALTONE_KEK": "file:\(kek.path)", "TELNYX_API_KEY": "chaos",
            "TELNYX_BASE_URL": "\(provider)/v2", "DIALTONE_LEASE": "8s", "DIALTONE_HTTP_DEADLINE": "2s",
            "DIALTONE_PROVIDER_MARGIN": "3s", "DIALTONE_SWEEP_INTERVAL": "5s", "DIALTONE_ROTATION_OVERLAP": "1s",
            "DIALTONE_TAG_CAPACITY": "\(Self.tagCapacity)", "DIALTONE_LOG_LEVEL": "warning",
        ]
    }

    /// Requests to an api process whose database is a black hole must not keep the others waiting for a connection.
    private static var httpConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return configuration
    }

    /// Creates each tenant with a source and a key. Returns how to reach them.
    private static func createTenants(
        _ administration: Administration
    ) async throws -> [(path: String, secret: String, key: String)] {
        var hooks: [(path: String, secret: String, key: String)] = []
        for (number, name) in Self.tenants.enumerated() {
            let tenant = try TenantID(name)
            _ = try await administration.createTenant(tenant, connectionID: Self.connections[number])
            let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
            let path = String(source.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
            let key = try await administration.createKey(tenant: tenant, scopes: [.loginTokensCreate])
            hooks.append((path: path, secret: try source.madeSecret(), key: key.key))
        }
        return hooks
    }

    /// Starts the networks and the processes.
    private func start(_ pooler: Pooler?, simulator: Int, apis: ArraySlice<Int>, journal: URL) {
        for relay in self.relays + self.databaseRelays {
            // Unstructured, because the network is there as long as the program.
            Task { await relay.run() }
        }
        if let pooler { self.processes.start("pooler", [pooler.settings.path], program: pooler.program) }
        self.processes.start("simulator", ["simulator", "--listen", "127.0.0.1:\(simulator)", "--state", journal.path])
        for (name, port) in zip(Self.apiNames, apis) {
            self.processes.start(
                name, ["serve", "--roles", "api", "--listen", "127.0.0.1:\(port)"], self.database(of: name))
        }
        for (name, relay) in zip(Self.workerNames, self.relays) {
            let network = ["TELNYX_BASE_URL": "http://127.0.0.1:\(relay.port)/v2"]
            self.processes.start(
                name, ["serve", "--roles", "worker"], network.merging(self.database(of: name)) { $1 })
        }
    }

    private func database(of process: String) -> [String: String] {
        self.networks.first { $0.process == process }?.environment ?? [:]
    }
}
