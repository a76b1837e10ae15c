// SPDX-License-Identifier: Apache-2.0
// The first sign-ups of small tenants after a restart of PostgreSQL, while all tags wait to be seen.

import Foundation
import Postgres
import PrivatePostgres

struct Restart: Encodable {
    /// Sign-ups of tenants whose tags nobody has listed yet, one after another.
    struct SignUps: Encodable {
        /// From sign-up to credential.
        var milliseconds: [Double] = []
        /// Lists by name meanwhile, for all of them: looks before a create.
        var looks = 0
    }

    var tenants: Int
    /// Seconds from the server's new start until a worker has met it.
    var secondsToMeet: Double
    /// Seconds from then until every tenant is seen.
    var secondsToTrust: Double
    var first: SignUps
    /// Of the same tenants, two seconds later each.
    var second: SignUps

    private static let ground = ScaleGround(tenants: 1000, usersEach: 20)
    private static let probes = 20

    static func measure(on bed: Bed) async throws -> Restart {
        let simulator = try await bed.stage("bench_restart").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let control = SimulatorControl(provider: provider)
        let stage = try await bed.stage("bench_restart", provider: provider)
        try await Self.ground.fill(stage, control)
        let worker = try await stage.start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        let era = try await Self.era(stage)
        try await bed.server.stop(mode: "fast")
        try await bed.server.startAgain()
        let start = ContinuousClock.now
        let database = try await stage.connect()
        try await Waiting.until("select 1 from dialtone.incarnation where era <> \(era)", on: database)
        let met = ContinuousClock.now
        let tenants = try await database.query(
            """
            select substr(tenant_id, 2)::bigint from dialtone.tenants, dialtone.incarnation
            where seen_era is distinct from era and tenant_id like 't%' order by random() limit \(Self.probes)
            """
        ).map { row in
            let number = try row.decode(Int64.self)
            return Int(number)
        }
        var (first, second) = (SignUps(), SignUps())
        for tenant in tenants {
            try await first.add("new-1", in: tenant, control, database)
            // Its tag comes first, and is listed meanwhile.
            try await Task.sleep(for: .seconds(2))
            try await second.add("new-2", in: tenant, control, database)
        }
        try await Self.waitForTrust(database)
        let trusted = ContinuousClock.now
        await database.close()
        return Restart(
            tenants: Self.ground.tenants, secondsToMeet: ((met - start) / .seconds(1)).rounded2,
            secondsToTrust: ((trusted - met) / .seconds(1)).rounded2, first: first, second: second)
    }

    /// Waits until all tenants are seen.
    private static func waitForTrust(_ database: PostgresConnection) async throws {
        try await Waiting.until(
            """
            select 1 where not exists (select 1 from dialtone.tenants, dialtone.incarnation
                                       where seen_era is distinct from era)
            """, on: database, for: .seconds(1200), every: .milliseconds(500))
    }

    private static func era(_ stage: Stage) async throws -> Int64 {
        let database = try await stage.connect()
        let row = try await database.query("select era from dialtone.incarnation").first
        await database.close()
        return try row?.decode(Int64.self) ?? 0
    }
}

extension Restart.SignUps {
    /// Signs up a user, waits for the credential and counts the lists by name meanwhile.
    fileprivate mutating func add(
        _ user: String, in tenant: Int, _ control: SimulatorControl, _ database: PostgresConnection
    ) async throws {
        let before = try await ProviderTraffic.now(control)
        try await ImportLine.signUp(tenants: tenant...tenant, user: user, on: database)
        try await Waiting.until(
            """
            select 1 from dialtone.users
            where tenant_id = \("t\(tenant)") and user_id = \(user) and ready_at is not null
            """, on: database, every: .milliseconds(2))
        let row = try await database.query(
            """
            select extract(epoch from ready_at - received_at)::float8 * 1000 from dialtone.users
            where tenant_id = \("t\(tenant)") and user_id = \(user)
            """
        ).first
        self.milliseconds.append((try row?.decode(Double.self) ?? 0).rounded2)
        self.looks += try await ProviderTraffic.now(control).less(before).name
    }
}
