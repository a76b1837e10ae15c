// SPDX-License-Identifier: Apache-2.0
// How long it takes after a worker is killed with its hands full until another worker has finished its jobs.

import Foundation
import Postgres

struct Recovery: Encodable {
    struct Times: Encodable {
        var jobs: Int
        var p50: Double
        var p99: Double
    }

    /// Seconds from `kill -9` to the stored credential, where the create had landed and only its answer was lost.
    var found: Times
    /// The same where the create had not landed. Absence must be proven first.
    var absent: Times
    /// Lease + HTTP deadline + margin, from the claim on. An empty answer proves nothing before that.
    var quietSeconds = 70
    /// Credentials at the provider beyond one per user, at the end.
    var duplicates: Int

    private static let jobs = 64

    static func measure(on bed: Bed) async throws -> Recovery {
        var found: [Double] = []
        var duplicates = 0
        for round in 1...3 {
            let (times, more) = try await Self.kill(on: bed, "bench_found_\(round)", fault: "delay_after_commit")
            found += times
            duplicates += more
        }
        let (absent, more) = try await Self.kill(on: bed, "bench_absent", fault: "delay")
        return Recovery(
            found: Self.times(found), absent: Self.times(absent), duplicates: duplicates + more)
    }

    private static func times(_ seconds: [Double]) -> Times {
        Times(jobs: seconds.count, p50: seconds.percentile(0.5).rounded2, p99: seconds.percentile(0.99).rounded2)
    }

    /// Lets one worker claim all jobs and hear nothing, starts another worker, and kills the first. Returns the seconds
    /// to each credential, and the number of credentials too many.
    private static func kill(on bed: Bed, _ name: String, fault: String) async throws -> ([Double], Int) {
        let simulator = try await bed.stage(name).start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.kill() }
        let provider = simulator.ready["base_url"] ?? ""
        let control = SimulatorControl(provider: provider)
        let stage = try await bed.stage(name, provider: provider)
        let database = try await stage.connect()
        try await JobRate.fill(stage, jobs: Self.jobs)
        try await control.setFaults(
            "[{\"operation\":\"create\",\"kind\":\"\(fault)\",\"milliseconds\":600000}]")
        let victim = try await stage.start(["serve", "--roles", "worker"])
        try await Self.until("select 1 from dialtone.jobs where state = 'armed' having count(*) = 64", database)
        let heir = try await stage.start(["serve", "--roles", "worker"])
        defer { heir.stop() }
        // Both workers must be known by their locks.
        try await Self.until(
            "select 1 from dialtone.workers where held_under is not null and free_since is null having count(*) = 2",
            database)
        try await control.setFaults("[]")
        let row = try await database.query("select extract(epoch from clock_timestamp())::float8").first
        victim.kill()
        guard let start = try row?.decode(Double.self) else { throw BenchError.refused("the database's time") }
        try await Self.until("select 1 where not exists (select 1 from dialtone.jobs)", database)
        let times = try await database.query(
            "select extract(epoch from ready_at)::float8 - \(start) from dialtone.users where status = 'ready'"
        ).map { try $0.decode(Double.self) }
        await database.close()
        guard times.count == Self.jobs else { throw BenchError.refused("not every job ended with a credential") }
        return (times, try await Self.held(control) - Self.jobs)
    }

    private static func until(_ statement: SQL, _ database: PostgresConnection) async throws {
        let deadline = ContinuousClock.now + .seconds(150)
        while try await database.query(statement).isEmpty {
            guard ContinuousClock.now < deadline else { throw BenchError.late("\(statement)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Returns how many credentials the provider has.
    private static func held(_ control: SimulatorControl) async throws -> Int {
        struct Held: Decodable {
            struct One: Decodable { var id: String }
            var data: [One]
        }
        return try await control.ask("credentials", for: Held.self).data.count
    }
}
