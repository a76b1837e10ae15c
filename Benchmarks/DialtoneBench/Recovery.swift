// SPDX-License-Identifier: Apache-2.0
// A worker is killed with its hands full: how long until another has finished its jobs, when their creates had landed
// and when not.

import Foundation
import FoundationNetworking
import Postgres

struct Recovery: Encodable {
    struct Times: Encodable {
        var jobs: Int
        var p50: Double
        var p99: Double
    }

    /// Seconds from `kill -9` to the stored credential, where the create had landed and only its answer was lost.
    var found: Times
    /// … where it had not: absence must be proven first.
    var absent: Times
    /// Lease end + HTTP deadline + margin, counted from the claim: before that an empty answer proves nothing.
    var quietSeconds = 70
    /// Credentials at the provider beyond one per user, after all.
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

    /// One worker claims all jobs and hears nothing; another starts; the first is killed.
    private static func kill(on bed: Bed, _ name: String, fault: String) async throws -> ([Double], Int) {
        let simulator = try await bed.stage(name).start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.kill() }
        let provider = simulator.ready["base_url"] ?? ""
        let stage = try await bed.stage(name, provider: provider)
        let database = try await stage.connect()
        try await JobRate.fill(stage, jobs: Self.jobs)
        try await Self.setFaults(
            "[{\"operation\":\"create\",\"kind\":\"\(fault)\",\"milliseconds\":600000}]", at: provider)
        let victim = try await stage.start(["serve", "--roles", "worker"])
        try await Self.until("select 1 from dialtone.jobs where state = 'armed' having count(*) = 64", database)
        let heir = try await stage.start(["serve", "--roles", "worker"])
        defer { heir.stop() }
        // Until both are known by their locks.
        try await Self.until(
            "select 1 from dialtone.workers where held_under is not null and free_since is null having count(*) = 2",
            database)
        try await Self.setFaults("[]", at: provider)
        let row = try await database.query("select extract(epoch from clock_timestamp())::float8").first
        victim.kill()
        guard let start = try row?.decode(Double.self) else { throw BenchError.refused("the database's time") }
        try await Self.until("select 1 where not exists (select 1 from dialtone.jobs)", database)
        let times = try await database.query(
            "select extract(epoch from ready_at)::float8 - \(start) from dialtone.users where status = 'ready'"
        ).map { try $0.decode(Double.self) }
        await database.close()
        guard times.count == Self.jobs else { throw BenchError.refused("not every job ended with a credential") }
        return (times, try await Self.held(at: provider) - Self.jobs)
    }

    private static func until(_ statement: SQL, _ database: PostgresConnection) async throws {
        let deadline = ContinuousClock.now + .seconds(150)
        while try await database.query(statement).isEmpty {
            guard ContinuousClock.now < deadline else { throw BenchError.late("\(statement)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func setFaults(_ rules: String, at provider: String) async throws {
        guard let url = URL(string: provider.replacing("/v2", with: "/control/faults")) else {
            throw BenchError.refused("the simulator's address")
        }
        var request = URLRequest(url: url)
        request.httpMethod = "PUT"
        request.httpBody = Data("{\"rules\":\(rules)}".utf8)
        _ = try await URLSession.shared.data(for: request)
    }

    private static func held(at provider: String) async throws -> Int {
        struct Held: Decodable {
            struct One: Decodable { var id: String }
            var data: [One]
        }
        guard let url = URL(string: provider.replacing("/v2", with: "/control/credentials")) else {
            throw BenchError.refused("the simulator's address")
        }
        return try JSONDecoder().decode(Held.self, from: try await URLSession.shared.data(from: url).0).data.count
    }
}
