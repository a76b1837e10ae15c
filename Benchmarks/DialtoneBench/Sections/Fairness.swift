// SPDX-License-Identifier: Apache-2.0
// How long a tenant's single sign-up takes while another tenant imports 100,000 users, beside an idle system.

import Foundation
import Postgres

struct Fairness: Encodable {
    /// Milliseconds from the job's place in the queue to its credential, at a provider that takes 100 ms for a create.
    var idleP50: Double
    var importP50: Double
    var ratio: Double

    private static let probes = 40

    static func measure(on bed: Bed) async throws -> Fairness {
        let simulator = try await bed.stage("bench_fair").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let stage = try await bed.stage("bench_fair", provider: provider)
        try await SimulatorControl(provider: provider)
            .setFaults("[{\"operation\":\"create\",\"kind\":\"delay\",\"milliseconds\":100}]")
        let database = try await stage.connect()
        try await database.script(
            """
            insert into dialtone.tenants (tenant_id, connection_id) values ('globex', '1000000002');
            insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('globex', 1, 'globex')
            """)
        let service = try await stage.start(["serve", "--roles", "worker"])
        defer { service.stop() }
        let idle = try await Self.probe("idle", database)
        try await Self.startImport(database)
        let busy = try await Self.probe("busy", database)
        await database.close()
        return Fairness(
            idleP50: idle.median.rounded2, importP50: busy.median.rounded2,
            ratio: (busy.median / idle.median).rounded2)
    }

    /// Writes 100,000 sign-ups of one tenant as intake leaves them: each job stands a tenth of a second behind the one
    /// before it.
    private static func startImport(_ database: PostgresConnection) async throws {
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
            select 'acme', 'user-' || number, 'live', 1, 'pending', now() from generate_series(1, 100000) number;
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
            select gen_random_uuid(), 'acme', 'user-' || number, 1,
                   (extract(epoch from now()) * 1000000)::bigint + number::bigint * 100000, now(), now()
            from generate_series(1, 100000) number;
            analyze
            """)
    }

    /// Signs up one user after another as intake does, with the hint that intake's node sends. Returns the milliseconds
    /// to each credential.
    private static func probe(_ name: String, _ database: PostgresConnection) async throws -> [Double] {
        var times: [Double] = []
        for number in 0..<Self.probes {
            let user = "\(name)-\(number)"
            _ = try await database.query(
                """
                with owner as (
                    insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                    values ('globex', \(user), 'live', 1, 'pending', clock_timestamp()) returning tenant_id, user_id)
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
                select gen_random_uuid(), tenant_id, user_id, 1,
                       (extract(epoch from clock_timestamp()) * 1000000)::bigint, now(), now() from owner
                """)
            _ = try await database.query("select pg_notify('dialtone_jobs', '')::text")
            let deadline = ContinuousClock.now + .seconds(60)
            while true {
                let row = try await database.query(
                    """
                    select extract(epoch from ready_at - received_at)::float8 * 1000 from dialtone.users
                    where tenant_id = 'globex' and user_id = \(user) and ready_at is not null
                    """
                ).first
                if let row {
                    times.append(try row.decode(Double.self))
                    break
                }
                guard ContinuousClock.now < deadline else { throw BenchError.late("a single sign-up") }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        return times
    }
}
