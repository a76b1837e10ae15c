// SPDX-License-Identifier: Apache-2.0
// Where attacks happen: a tenant with many users that attacks, and another tenant that only signs users up.

import Composition
import Foundation
import Model
import Postgres

struct AttackGround {
    static let victim = "globex"
    /// Users of the attacking tenant with a real credential at the simulator.
    static let readyUsers = 20_000
    /// Users of the attacking tenant in all.
    static let users = 300_000

    /// The attacker's: tenant `acme`, its hook and its secret.
    let stage: Stage
    /// The attacker's API key, with every scope.
    let key: String
    let victimPath: String
    let victimSecret: String

    /// Fills a stage. `provider` is the simulator's address.
    static func make(on bed: Bed, provider: String) async throws -> AttackGround {
        let stage = try await bed.stage("bench_attacks", provider: provider)
        try await JobRate.fill(stage, jobs: Self.readyUsers)
        let worker = try await stage.start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        _ = try await JobRate.drain(stage, jobs: Self.readyUsers)
        try await Self.addUsers(stage)
        let administration = Administration(try await Settings.read(flags: stage.environment))
        let victim = try TenantID(Self.victim)
        _ = try await administration.createTenant(victim, connectionID: "1000000002")
        let source = try await administration.createSource("app", tenant: victim, allowed: [], preset: "standard")
        let key = try await administration.createKey(tenant: TenantID("acme"), scopes: Scope.allCases)
        // The limits of the service are what is measured.
        let environment = stage.environment.filter { $0.key != Bed.sourceRate }
        return AttackGround(
            stage: Stage(environment: environment, hook: stage.hook, secret: stage.secret, program: stage.program),
            key: key.key, victimPath: Stage.path(of: source.url), victimSecret: try source.madeSecret())
    }

    private static func addUsers(_ stage: Stage) async throws {
        let database = try await stage.connect()
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at, ready_at)
            select 'acme', 'old-' || number, 'live', 1, 'ready', now(), now()
            from generate_series(1, \(Self.users - Self.readyUsers)) number
            """)
        // Tables that have been in use look like this.
        try await database.script("vacuum (analyze) dialtone.users, dialtone.credentials")
        // The writes of this preparation must not fall into the attacks.
        try await database.script("checkpoint")
        await database.close()
    }
}
