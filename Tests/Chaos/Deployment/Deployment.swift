// SPDX-License-Identifier: Apache-2.0
// Everything that runs in a chaos test, how it is built, and how to reach it.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import TestSupport

/// One whole Dialtone on real processes.
///
/// Two `api` and two `worker` processes share a database (`Cluster`), which has a synchronous standby. The provider is
/// the simulator, a process with its state on disk. Each worker reaches it through a network of its own (`Relay`),
/// which can lose, hold or refuse bytes. Every process starts again when it ends (`Processes`).
struct Deployment: Sendable {
    static let tenants = ["acme", "globex"]
    static let tagCapacity = 40
    static let connections = ["1000000000", "1000000001"]

    let settings: Settings
    let processes: Processes
    /// The simulator's address.
    let provider: String
    let apis: [String]
    /// By tenant: the hook's path and its secret.
    let hooks: [(path: String, secret: String)]
    let http: HTTPClient
    /// The network of each worker.
    let relays: [Relay]

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
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("dialtone")
        let processes = Processes(program, environment, log: folder.appendingPathComponent("log"))
        let relays = ports[3...].map { Relay(port: $0, provider: ports[0]) }
        Self.start(
            processes, simulator: ports[0], apis: ports[1...2], relays,
            journal: folder.appendingPathComponent("provider.journal"))
        return Deployment(
            settings: settings, processes: processes, provider: provider,
            apis: ports[1...2].map { "http://127.0.0.1:\($0)" }, hooks: hooks, http: HTTPClient(), relays: relays)
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

    /// Creates each tenant with a source. Returns their hooks.
    private static func createTenants(
        _ administration: Administration
    ) async throws -> [(path: String, secret: String)] {
        var hooks: [(path: String, secret: String)] = []
        for (number, name) in Self.tenants.enumerated() {
            let tenant = try TenantID(name)
            _ = try await administration.createTenant(tenant, connectionID: Self.connections[number])
            let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
            let path = String(source.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
            hooks.append((path: path, secret: source.secret))
        }
        return hooks
    }

    private static func start(
        _ processes: Processes, simulator: Int, apis: ArraySlice<Int>, _ relays: [Relay], journal: URL
    ) {
        processes.start("simulator", ["simulator", "--listen", "127.0.0.1:\(simulator)", "--state", journal.path])
        for (number, port) in apis.enumerated() {
            processes.start("api-\(number)", ["serve", "--roles", "api", "--listen", "127.0.0.1:\(port)"])
        }
        for (number, relay) in relays.enumerated() {
            // Unstructured, because the network is there as long as the program.
            Task { await relay.run() }
            processes.start(
                "worker-\(number)", ["serve", "--roles", "worker"],
                ["TELNYX_BASE_URL": "http://127.0.0.1:\(relay.port)/v2"])
        }
    }
}
