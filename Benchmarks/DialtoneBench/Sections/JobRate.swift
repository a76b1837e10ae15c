// SPDX-License-Identifier: Apache-2.0
// Jobs finished per second, from the queue through the simulator at zero latency to the stored credential.

import Foundation
import Postgres

struct JobRate: Encodable {
    var perSecond: Double
    var runs: [Double]
    /// Processor time per job, in microseconds, from a process's start: of the worker and of the simulator.
    var workerMicroseconds: Double
    var simulatorMicroseconds: Double
    var residentMiB: Double

    private static let jobs = 8_000

    static func measure(on bed: Bed) async throws -> JobRate {
        var rates: [Double] = []
        var worker: [Double] = []
        var provider: [Double] = []
        var memory: [Double] = []
        for run in 1...3 {
            let first = try await bed.stage("bench_jobs_\(run)")
            let simulator = try await first.start(["simulator", "--listen", "127.0.0.1:0"])
            defer { simulator.stop() }
            let stage = try await bed.stage("bench_jobs_\(run)", provider: simulator.ready["base_url"] ?? "")
            try await Self.fill(stage, jobs: Self.jobs)
            let service = try await stage.start(["serve", "--roles", "worker"])
            defer { service.stop() }
            let seconds = try await Self.drain(stage, jobs: Self.jobs)
            rates.append((Double(Self.jobs) / seconds).rounded())
            worker.append(service.processorSeconds() / Double(Self.jobs) * 1e6)
            provider.append(simulator.processorSeconds() / Double(Self.jobs) * 1e6)
            memory.append(service.memory().highest)
        }
        return JobRate(
            perSecond: rates.median, runs: rates, workerMicroseconds: worker.median.rounded2,
            simulatorMicroseconds: provider.median.rounded(), residentMiB: memory.median)
    }

    /// Writes sign-ups as intake leaves them: a user and a job each.
    static func fill(_ stage: Stage, jobs: Int) async throws {
        let database = try await stage.connect()
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
            select 'acme', 'user-' || number, 'live', 1, 'pending', now() from generate_series(1, \(jobs)) number;
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
            select gen_random_uuid(), 'acme', 'user-' || number, 1,
                   (extract(epoch from now()) * 1000000)::bigint + least(number * 100000::bigint, 3600000000 + number),
                   now(), now()
            from generate_series(1, \(jobs)) number;
            analyze
            """)
        await database.close()
    }

    /// Waits until the queue is empty. Returns the seconds from the first job's end to the last job's end, by the
    /// database's clock.
    static func drain(_ stage: Stage, jobs: Int) async throws -> Double {
        let database = try await stage.connect()
        let deadline = ContinuousClock.now + .seconds(120)
        while try await database.query("select 1 from dialtone.jobs limit 1").isEmpty == false {
            guard ContinuousClock.now < deadline else { throw BenchError.late("draining the queue") }
            try await Task.sleep(for: .milliseconds(50))
        }
        let row = try await database.query(
            """
            select count(*) filter (where status = 'ready'),
                   extract(epoch from max(ready_at) - min(ready_at))::float8 from dialtone.users
            """
        ).first
        await database.close()
        guard let (ready, seconds) = try row?.decode(Int64.self, Double.self), Int(ready) == jobs else {
            throw BenchError.refused("not every job ended with a credential")
        }
        return seconds
    }
}
