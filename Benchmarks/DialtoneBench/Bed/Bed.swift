// SPDX-License-Identifier: Apache-2.0
// The server and the program that a benchmark measures on.

import Composition
import Foundation
import Model
import Postgres
import PrivatePostgres

/// A PostgreSQL with default durability, and the program built beside this one.
///
/// Every section asks the bed for a stage of its own: a migrated database with one tenant and one source. On a stage it
/// starts processes of the program (`Running`), loads them (`HookLoad`) and commands the simulator
/// (`SimulatorControl`).
struct Bed {
    let server: PrivatePostgres
    let program: URL
    let folder: URL

    /// A source's own limit is far below what a service can take. Every section but the attacks lifts it.
    static let sourceRate = "DIALTONE_SOURCE_RATE"

    /// Starts a server for the work, and removes it afterwards.
    static func with<Value>(_ work: (Bed) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-bench-\(getpid())")
        // Durability stays at its defaults. These settings make room for the runs.
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

    /// Makes a migrated database of this name with one tenant and one source. Drops the former one of that name.
    /// `hurry`: how much faster than time its clock runs.
    func stage(_ name: String, provider: String = "http://127.0.0.1:9/v2", hurry: Int = 1) async throws -> Stage {
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: self.server.url()))
        try await control.script("drop database if exists \(name) with (force)")
        try await control.script("create database \(name)")
        try await control.script("checkpoint")
        await control.close()
        if hurry != 1 {
            let own = try await PostgresConnection.connect(PostgresConfiguration(url: self.server.url(database: name)))
            try await HurriedClock(factor: hurry).install(in: name, on: own)
            await own.close()
        }
        let kek = self.folder.appendingPathComponent("kek-\(name)")
        try Administration.generateKey().write(to: kek, atomically: true, encoding: .utf8)
        let environment = [
            "DATABASE_URL": self.server.url(database: name), "DIALTONE_KEK": "file:\(kek.path)",
            "TELNYX_API_KEY": "bench-key", "TELNYX_BASE_URL": provider, "DIALTONE_LISTEN": "127.0.0.1:0",
            "DIALTONE_LOG_LEVEL": "error", Self.sourceRate: "1000000",
        ]
        let administration = Administration(try await Settings.read(flags: environment))
        _ = try await administration.migrate(dryRun: false)
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        return Stage(environment: environment, hook: source.url, secret: try source.madeSecret(), program: self.program)
    }
}
