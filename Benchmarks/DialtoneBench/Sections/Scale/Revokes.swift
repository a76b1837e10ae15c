// SPDX-License-Identifier: Apache-2.0
// How soon a revoked credential is deleted at the provider while an import of 100,000 is under way.

import Composition
import Foundation
import Model
import Postgres

struct Revokes: Encodable {
    struct Times: Encodable {
        var p50: Double
        var slowest: Double
    }

    /// Seconds from the operator's word to the provider's: of a user of the tenant that imports, and of another's.
    var ofImporter: Times
    var ofOther: Times

    private static let probes = 15

    static func measure(on bed: Bed) async throws -> Revokes {
        let simulator = try await bed.stage("bench_revoke").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let stage = try await bed.stage("bench_revoke", provider: provider)
        let administration = Administration(try await Settings.read(flags: stage.environment))
        _ = try await administration.createTenant(try TenantID("globex"), connectionID: "1000000002")
        let database = try await stage.connect()
        for tenant in ["acme", "globex"] { try await ImportLine.fill(Self.probes, of: tenant, on: database) }
        let worker = try await stage.start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        try await Waiting.until("select 1 where not exists (select 1 from dialtone.jobs)", on: database)
        try await SimulatorControl(provider: provider)
            .setFaults(#"[{"operation":"any","kind":"delay","milliseconds":100}]"#)
        try await ImportLine.fill(100_000, from: 1000, on: database)
        var times: [String: [Double]] = [:]
        for number in 1...Self.probes {
            for tenant in ["acme", "globex"] {
                let user = UserKey(tenant: try TenantID(tenant), user: try UserID("user-\(number)"))
                times[tenant, default: []].append(try await Self.revoke(user, administration, database))
            }
        }
        let isStillImporting = try await Waiting.number("select count(*) from dialtone.jobs", on: database) > 1000
        await database.close()
        guard isStillImporting else { throw BenchError.refused("the import ended before the revokes") }
        return Revokes(ofImporter: Self.times(times["acme"] ?? []), ofOther: Self.times(times["globex"] ?? []))
    }

    private static func times(_ seconds: [Double]) -> Times {
        Times(p50: seconds.percentile(0.5).rounded2, slowest: (seconds.max() ?? 0).rounded2)
    }

    /// Returns the seconds from the word until the ledger has the provider's answer.
    private static func revoke(
        _ user: UserKey, _ administration: Administration, _ database: PostgresConnection
    ) async throws -> Double {
        let start = ContinuousClock.now
        _ = try await administration.revoke(user)
        try await Waiting.until(
            """
            select 1 from dialtone.credentials
            where tenant_id = \(user.tenant) and user_id = \(user.user) and status = 'deleted'
            """, on: database)
        return (ContinuousClock.now - start) / .seconds(1)
    }
}
