// SPDX-License-Identifier: Apache-2.0
// A million users of one tenant, from signed webhooks to credentials; then a check from outside compares both sides.

import Foundation
import Postgres

struct Million: Encodable {
    struct Table: Encodable {
        var name: String
        var rows: Int
        /// With its indexes.
        var megabytes: Double
        var bytesPerUser: Double
    }

    var users: Int
    /// Seconds until every webhook was answered 202, and until every user was ready.
    var acceptSeconds: Double
    var readySeconds: Double
    var callsPerUser: Double
    var tags: Int
    /// The service's and the simulator's resident memory, MiB, at its highest.
    var serviceMiB: Double
    var simulatorMiB: Double
    var tables: [Table]
    /// The line of `scripts/check-ledger`, and whether ledger and provider agree.
    var check: String
    var agrees: Bool

    private static let batch = 20_000

    static func measure(on bed: Bed, users: Int) async throws -> Million {
        let simulator = try await bed.stage("bench_million").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let control = SimulatorControl(provider: provider)
        let stage = try await bed.stage("bench_million", provider: provider)
        let service = try await stage.start(["serve"])
        let start = ContinuousClock.now
        try Self.send(users, to: stage, port: service.port)
        let accepted = (ContinuousClock.now - start) / .seconds(1)
        let database = try await stage.connect()
        try await Waiting.until(
            "select 1 where not exists (select 1 from dialtone.jobs)", on: database, for: .seconds(7200),
            every: .milliseconds(500))
        let ready = (ContinuousClock.now - start) / .seconds(1)
        Progress.tell("million: all ready after \(ready.rounded()) s")
        let calls = try await ProviderTraffic.now(control)
        let memory = (service.memory().highest, simulator.memory().highest)
        // A visit under way would be a call that the check knows nothing of, but no difference.
        service.stop()
        let tables = try await Self.tables(database, users: users)
        let tags = try await Waiting.number(
            "select count(distinct tag) from dialtone.credentials where status = 'active'", on: database)
        await database.close()
        let (check, agrees) = try Self.check(stage, provider: provider)
        let all = calls.create + calls.retrieve + calls.delete + calls.count + calls.tag + calls.name + calls.account
        return Million(
            users: users, acceptSeconds: accepted.rounded(), readySeconds: ready.rounded(),
            callsPerUser: (Double(all) / Double(users) * 1000).rounded() / 1000, tags: tags, serviceMiB: memory.0,
            simulatorMiB: memory.1, tables: tables, check: check, agrees: agrees)
    }

    /// Sends a signed webhook for each user, over 64 connections.
    private static func send(_ users: Int, to stage: Stage, port: Int) throws {
        var sent = 0
        while sent < users {
            let requests = try SignedRequests(
                min(Self.batch, users - sent), first: sent, path: stage.hookPath, secret: stage.secret)
            let load = try HookLoad(requests.requests, port: port, connections: 64, seconds: 600)
            guard load.others.isEmpty, load.accepted == requests.requests.count else {
                throw BenchError.refused("a webhook: \(load.others)")
            }
            sent += load.accepted
            if sent % 100_000 == 0 { Progress.tell("million: \(sent) accepted") }
        }
    }

    private static func tables(_ database: PostgresConnection, users: Int) async throws -> [Table] {
        try await database.script("vacuum (analyze)")
        return try await database.query(
            """
            select relname::text, greatest(reltuples, 0)::bigint, pg_total_relation_size(oid)::bigint from pg_class
            where relnamespace = 'dialtone'::regnamespace and relkind = 'r' and pg_total_relation_size(oid) > 1000000
            order by 3 desc
            """
        ).map { row in
            let (name, rows, bytes) = try row.decode(String.self, Int64.self, Int64.self)
            return Table(
                name: name, rows: Int(rows), megabytes: (Double(bytes) / 1e6).rounded2,
                bytesPerUser: (Double(bytes) / Double(users)).rounded())
        }
    }

    /// Runs the check, from the folder of the project.
    private static func check(_ stage: Stage, provider: String) throws -> (String, Bool) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "scripts/check-ledger")
        process.arguments = ["--cap", "980", "--account-pages", "10000", provider]
        process.environment = ProcessInfo.processInfo.environment.merging(stage.environment) { $1 }
        process.standardOutput = output
        try process.run()
        Interrupt.add(process.processIdentifier)
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        Interrupt.remove(process.processIdentifier)
        return (String(decoding: data, as: UTF8.self), process.terminationStatus == 0)
    }
}
