// SPDX-License-Identifier: Apache-2.0
// How long a second credential lives whose create landed up to an hour after it was given up.

import Foundation
import Postgres

/// Creates that are answered 504 and land later, on a hurried clock. Each user meanwhile has a credential by another
/// create.
struct LateCreates: Encodable {
    struct Landing: Encodable {
        /// Minutes from the create to its landing, and seconds from then to its delete, by the hurried clock.
        var minutes: Double
        var secondsToDelete: Double
    }

    var hurry: Int
    var landings: [Landing]
    var slowest: Double
    var promisedSeconds = 360.0
    /// Credentials at the provider beyond one per user, at the end.
    var left: Int

    /// Sooner than two minutes the create is still looked for by its own job.
    private static let minutes = [2.0, 4, 7, 11, 16, 22, 28, 34, 40, 46, 52, 58]

    static func measure(on bed: Bed, hurry: Int) async throws -> LateCreates {
        let simulator = try await bed.stage("bench_late").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let control = SimulatorControl(provider: provider)
        let stage = try await bed.stage("bench_late", provider: provider, hurry: hurry)
        try await ScaleGround.meetServer(stage)
        let database = try await stage.connect()
        let number = Self.minutes.count
        try await database.script(
            """
            insert into dialtone.tenants (tenant_id, connection_id, seen_era)
            select 't' || number, '1000000001', era from generate_series(1, \(number)) number, dialtone.incarnation
            """)
        let lives = try await HurriedWorker.with(stage, hurry: hurry) {
            for (place, minutes) in Self.minutes.enumerated() {
                try await Self.createLate(minutes, place + 1, hurry: hurry, control, database)
            }
            return try await Self.watch(control, users: number, hurry: hurry)
        }
        await database.close()
        let landings = lives.enumerated().map { Landing(minutes: Self.minutes[$0], secondsToDelete: $1) }
        return LateCreates(
            hurry: hurry, landings: landings, slowest: lives.max() ?? 0,
            left: try await Self.held(control).count - 2 * number)
    }

    /// Signs up the user of this tenant, whose first create lands late, and waits until it was sent.
    private static func createLate(
        _ minutes: Double, _ tenant: Int, hurry: Int, _ control: SimulatorControl, _ database: PostgresConnection
    ) async throws {
        let wait = Int(minutes * 60_000 / Double(hurry))
        try await control.setFaults(
            "[{\"operation\":\"create\",\"kind\":\"late_create\",\"milliseconds\":\(wait),\"times\":1}]")
        let before = try await ProviderTraffic.now(control).create
        try await ImportLine.signUp(tenants: tenant...tenant, user: "user", on: database)
        while try await ProviderTraffic.now(control).create == before { try await Task.sleep(for: .milliseconds(5)) }
        // Between two that fail one works, so that the brake has no reason to stop this node.
        try await ImportLine.signUp(tenants: tenant...tenant, user: "beside", on: database)
        try await Waiting.until(
            "select 1 from dialtone.users where tenant_id = \("t\(tenant)") and user_id = 'beside' and status = 'ready'",
            on: database)
    }

    /// Returns how long each user had two credentials, in seconds of the hurried clock and in the order of landing.
    private static func watch(
        _ control: SimulatorControl, users: Int, hurry: Int
    ) async throws -> [Double] {
        var began: [String: ContinuousClock.Instant] = [:]
        var order: [String] = []
        var lived: [String: Double] = [:]
        let deadline = ContinuousClock.now + .seconds(90 * 60) / hurry
        while lived.count < users, ContinuousClock.now < deadline {
            let names = Dictionary(grouping: try await Self.held(control)) { $0 }.mapValues(\.count)
            for (name, count) in names where count > 1 && began[name] == nil {
                began[name] = .now
                order.append(name)
            }
            for (name, start) in began where names[name] == 1 && lived[name] == nil {
                lived[name] = ((ContinuousClock.now - start) / .seconds(1) * Double(hurry)).rounded()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        guard lived.count == users else { throw BenchError.late("the delete of a late credential") }
        return order.map { lived[$0] ?? 0 }
    }

    /// Returns the names of all credentials at the provider.
    private static func held(_ control: SimulatorControl) async throws -> [String] {
        struct Held: Decodable {
            struct One: Decodable { var name: String }
            var data: [One]
        }
        return try await control.ask("credentials", for: Held.self).data.map(\.name)
    }
}
