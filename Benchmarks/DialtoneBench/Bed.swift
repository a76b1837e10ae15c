// SPDX-License-Identifier: Apache-2.0
// What is measured on: a PostgreSQL with default durability, the program's processes, a tenant with a source.

import Composition
import Foundation
import Model
import Postgres
import PrivatePostgres

struct Bed {
    let server: PrivatePostgres
    let program: URL
    let folder: URL

    static func with<Value>(_ work: (Bed) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-bench-\(getpid())")
        // Durability is left at its defaults; the rest is room for the runs.
        let server = try await PrivatePostgres.start(
            in: folder, settings: ["max_connections": "200", "shared_buffers": "1GB", "max_wal_size": "8GB"])
        server.stopAtExit(removingData: true)
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("dialtone")
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await work(Bed(server: server, program: program, folder: folder)))
        } catch {
            outcome = .failure(error)
        }
        try await server.stop(mode: "immediate")
        server.remove()
        return try outcome.get()
    }

    /// A migrated database of its own with one tenant and one source.
    func stage(_ name: String, provider: String = "http://127.0.0.1:9/v2") async throws -> Stage {
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: self.server.url()))
        try await control.script("drop database if exists \(name) with (force)")
        try await control.script("create database \(name)")
        try await control.script("checkpoint")
        await control.close()
        let kek = self.folder.appendingPathComponent("kek-\(name)")
        try Administration.generateKey().write(to: kek, atomically: true, encoding: .utf8)
        let environment = [
            "DATABASE_URL": self.server.url(database: name), "DIALTONE_KEK": "file:\(kek.path)",
            "TELNYX_API_KEY": "bench-key", "TELNYX_BASE_URL": provider, "DIALTONE_LISTEN": "127.0.0.1:0",
            "DIALTONE_LOG_LEVEL": "error",
        ]
        let administration = Administration(try await Settings.read(flags: environment))
        _ = try await administration.migrate(dryRun: false)
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        return Stage(environment: environment, hook: source.url, secret: source.secret, program: self.program)
    }
}

/// One database and how to run the program on it.
struct Stage {
    let environment: [String: String]
    let hook: String
    let secret: String
    let program: URL

    var hookPath: String { String(self.hook[(self.hook.range(of: "/v1/")?.lowerBound ?? self.hook.startIndex)...]) }

    /// Starts `dialtone` with these arguments and waits for its ready line.
    func start(_ arguments: [String]) async throws -> Running {
        try await Running.start(self.program, arguments, self.environment)
    }

    func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(PostgresConfiguration(url: self.environment["DATABASE_URL"] ?? ""))
    }
}

/// A process of the program that has said that it is ready.
struct Running: @unchecked Sendable {
    // Unchecked because Process is a class that is only asked for its pid and told to end, from one task.
    private let process: Process
    /// The ready line's JSON.
    let ready: [String: String]

    var pid: Int32 { self.process.processIdentifier }
    var port: Int { self.ready["listen"].flatMap { $0.split(separator: ":").last }.flatMap { Int($0) } ?? 0 }

    static func start(_ program: URL, _ arguments: [String], _ environment: [String: String]) async throws -> Running {
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        try process.run()
        var line = Data()
        while !line.contains(10) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw BenchError.notReady(arguments.joined(separator: " ")) }
            line.append(more)
        }
        let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
        return Running(process: process, ready: (object ?? [:]).compactMapValues { $0 as? String })
    }

    /// Ends it gracefully.
    func stop() {
        self.process.terminate()
        self.process.waitUntilExit()
    }

    /// As `kill -9`.
    func kill() {
        Glibc.kill(self.pid, SIGKILL)
        self.process.waitUntilExit()
    }

    /// Resident memory in MiB: now, and the highest so far (proc(5), VmRSS and VmHWM).
    func memory() -> (now: Double, highest: Double) {
        let status = (try? String(contentsOfFile: "/proc/\(self.pid)/status", encoding: .utf8)) ?? ""
        func field(_ name: String) -> Double {
            status.split(separator: "\n").first { $0.hasPrefix(name) }
                .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Double($0) } ?? 0
        }
        return ((field("VmRSS:") / 1024).rounded2, (field("VmHWM:") / 1024).rounded2)
    }

    func processorSeconds() -> Double { Self.processorSeconds(of: self.pid) }

    /// Processor seconds used so far, in user and kernel mode (proc(5), fields 14 and 15, in hundredths).
    static func processorSeconds(of pid: Int32) -> Double {
        let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / 100
    }
}

enum BenchError: Error, CustomStringConvertible {
    case notReady(String)
    case refused(String)
    case late(String)

    var description: String {
        switch self {
        case .notReady(let command): "dialtone \(command) did not become ready"
        case .refused(let what): "refused: \(what)"
        case .late(let what): "took too long: \(what)"
        }
    }
}
