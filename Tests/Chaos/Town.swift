// SPDX-License-Identifier: Apache-2.0
// The processes under test, each started again when it dies, and what their operators hold.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOCore
import Synchronization
import TestSupport

/// Everything that runs, and how to reach it.
struct Town: Sendable {
    static let tenants = ["acme", "globex"]
    static let tagCapacity = 40
    static let connections = ["1000000000", "1000000001"]

    let settings: Settings
    let processes: Processes
    let provider: String
    let apis: [String]
    /// Per tenant: the hook's path and its secret.
    let hooks: [(path: String, secret: String)]
    let http: HTTPClient
    /// The network of each worker.
    let relays: [Relay]

    static func build(on cluster: Cluster, in folder: URL) async throws -> Town {
        let kek = folder.appendingPathComponent("kek")
        try Administration.generateKey().write(to: kek, atomically: true, encoding: .utf8)
        let ports = try (0..<5).map { _ in try FreePort.find() }
        let provider = "http://127.0.0.1:\(ports[0])"
        let environment = [
            "DATABASE_URL": cluster.url, "DIALTONE_KEK": "file:\(kek.path)", "TELNYX_API_KEY": "chaos",
            "TELNYX_BASE_URL": "\(provider)/v2", "DIALTONE_LEASE": "8s", "DIALTONE_HTTP_DEADLINE": "2s",
            "DIALTONE_PROVIDER_MARGIN": "3s", "DIALTONE_SWEEP_INTERVAL": "5s", "DIALTONE_ROTATION_OVERLAP": "1s",
            "DIALTONE_TAG_CAPACITY": "\(Self.tagCapacity)", "DIALTONE_LOG_LEVEL": "warning",
        ]
        let settings = try await Settings.read(flags: environment)
        let administration = Administration(settings)
        _ = try await administration.migrate(dryRun: false)
        var hooks: [(String, String)] = []
        for (number, name) in Self.tenants.enumerated() {
            let tenant = try TenantID(name)
            _ = try await administration.createTenant(tenant, connectionID: Self.connections[number])
            let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
            hooks.append((String(source.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }), source.secret))
        }
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("dialtone")
        let processes = Processes(program, environment, log: folder.appendingPathComponent("log"))
        processes.start(
            "simulator",
            [
                "simulator", "--listen", "127.0.0.1:\(ports[0])", "--state",
                folder.appendingPathComponent("provider.journal").path,
            ])
        let apis = ports[1...2]
        for (number, port) in apis.enumerated() {
            processes.start("api-\(number)", ["serve", "--roles", "api", "--listen", "127.0.0.1:\(port)"])
        }
        let relays = ports[3...].map { Relay(port: $0, provider: ports[0]) }
        for (number, relay) in relays.enumerated() {
            // Unstructured, because the network is there as long as the program.
            Task { await relay.run() }
            processes.start(
                "worker-\(number)", ["serve", "--roles", "worker"],
                ["TELNYX_BASE_URL": "http://127.0.0.1:\(relay.port)/v2"])
        }
        return Town(
            settings: settings, processes: processes, provider: provider,
            apis: apis.map { "http://127.0.0.1:\($0)" }, hooks: hooks, http: HTTPClient(), relays: relays)
    }
}

extension Town {
    struct Counts: Decodable {
        struct One: Decodable { var creates: Int }
        var unsettled: Int
        var names: [String: One]
    }

    func counts() async throws -> Counts { try await self.ask("/control/counts", for: Counts.self) }

    /// What the simulator's controls say.
    func ask<Answer: Decodable>(_ path: String, for _: Answer.Type) async throws -> Answer {
        let answer = try await self.http.execute(HTTPClientRequest(url: self.provider + path), timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 1 << 26)
        return try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView))
    }
}

/// Named processes, each started again when it ends until all are stopped.
final class Processes: Sendable {
    private struct State {
        var running: [String: Process] = [:]
        var isOver = false
    }

    private let program: URL
    private let environment: [String: String]
    private let log: URL
    // Process is not Sendable; every use is under this lock.
    private let state = Mutex(State())

    init(_ program: URL, _ environment: [String: String], log: URL) {
        self.program = program
        self.environment = environment
        self.log = log
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    }

    var names: [String] { self.state.withLock { $0.running.keys.sorted() } }

    /// `more`: environment of this one, beside or instead of what all have.
    func start(_ name: String, _ arguments: [String], _ more: [String: String] = [:]) {
        let (program, environment, log) = (self.program, self.environment, self.log)
        self.state.withLock { state in
            guard !state.isOver else { return }
            let process = Process()
            process.executableURL = program
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }.merging(more) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            // Each line at the end, whoever else writes.
            let errors = open(log.path, O_WRONLY | O_APPEND | O_CLOEXEC)
            if errors >= 0 { process.standardError = FileHandle(fileDescriptor: errors, closeOnDealloc: true) }
            process.terminationHandler = { [weak self] _ in
                Thread.sleep(forTimeInterval: 0.3)
                self?.start(name, arguments, more)
            }
            try? process.run()
            state.running[name] = process
        }
    }

    func signal(_ name: String, _ number: Int32) {
        self.state.withLock { state in
            if let process = state.running[name], process.isRunning { kill(process.processIdentifier, number) }
        }
    }

    func stopAll() {
        self.state.withLock { state in
            state.isOver = true
            for process in state.running.values where process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }
}
