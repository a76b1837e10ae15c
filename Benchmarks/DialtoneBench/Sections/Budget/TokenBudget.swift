// SPDX-License-Identifier: Apache-2.0
// How long a login token takes while a sweep and an import use the rest of ten calls a second.

import Composition
import Foundation
import FoundationNetworking
import Model
import Postgres

struct TokenBudget: Encodable {
    /// Milliseconds from the request to its answer, of tokens that the provider must mint. Three are asked for a second.
    var tokenP50: Double
    var tokenP99: Double
    var tokenWorst: Double
    /// Tokens that were asked for, and those that were not handed out.
    var tokens: Int
    var refusedTokens: Int
    /// Calls a second meanwhile, by the kind of call.
    var calls: [String: Double]
    /// Pauses that a 429 of the provider has set meanwhile.
    var pauses: Int

    static let rate = 10
    private static let tokensPerSecond = 3
    private static let seconds = 60
    /// Users with a credential. Each asks for one token, so that none is in memory.
    private static let users = 240
    /// Sign-ups that wait in the queue: more than the rate can send.
    private static let imported = 2000

    static func measure(on bed: Bed) async throws -> TokenBudget {
        let simulator = try await bed.stage("bench_budget").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let stage = try await Self.stage(on: bed, provider)
        let control = SimulatorControl(provider: provider)
        let database = try await stage.connect()
        // A provider that counts seconds of its own refuses a few of the calls that stand on their border.
        try await control.setLimit(calls: Self.rate * 10, seconds: 10)
        try await control.setFaults("[{\"operation\":\"any\",\"kind\":\"delay\",\"milliseconds\":50}]")
        let administration = Administration(try await Settings.read(flags: stage.environment))
        let key = try await administration.createKey(tenant: TenantID("acme"), scopes: [.loginTokensCreate])
        let service = try await stage.start(["serve"])
        defer { service.stop() }
        try await Self.startImport(database)
        // The budget knows after a few slices who wants what.
        try await Task.sleep(for: .seconds(3))
        let before = try await Self.requests(control)
        let start = ContinuousClock.now
        let sweeping = Task { await Self.keepSweeping(stage) }
        let answers = await Self.askForTokens(service.port, key: key.key)
        sweeping.cancel()
        await sweeping.value
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let after = try await Self.requests(control)
        let pauses = try await database.query(
            "select 1 from dialtone.provider_limits where paused_until is not null"
        ).count
        await database.close()
        let times = answers.compactMap(\.self)
        return TokenBudget(
            tokenP50: times.percentile(0.5).rounded2, tokenP99: times.percentile(0.99).rounded2,
            tokenWorst: (times.max() ?? 0).rounded2, tokens: answers.count, refusedTokens: answers.count - times.count,
            calls: after.merging(before) { (($0 - $1) / elapsed).rounded2 }, pauses: pauses)
    }

    /// A stage with users who have a credential, in tags of 20, and with the rate.
    private static func stage(on bed: Bed, _ provider: String) async throws -> Stage {
        let stage = try await bed.stage("bench_budget", provider: provider)
        let small = stage.environment.merging(["DIALTONE_TAG_CAPACITY": "20"]) { $1 }
        let filled = Stage(environment: small, hook: stage.hook, secret: stage.secret, program: stage.program)
        try await JobRate.fill(filled, jobs: Self.users)
        let worker = try await filled.start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        _ = try await JobRate.drain(filled, jobs: Self.users)
        let limited = small.merging(["DIALTONE_PROVIDER_RATE": "\(Self.rate)"]) { $1 }
        return Stage(environment: limited, hook: stage.hook, secret: stage.secret, program: stage.program)
    }

    private static func startImport(_ database: PostgresConnection) async throws {
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
            select 'acme', 'import-' || number, 'live', 1, 'pending', now()
            from generate_series(1, \(Self.imported)) number;
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
            select gen_random_uuid(), 'acme', 'import-' || number, 1,
                   (extract(epoch from now()) * 1000000)::bigint + number, now(), now()
            from generate_series(1, \(Self.imported)) number;
            analyze
            """)
    }

    /// Makes all tags due and unseen, again and again, so that each is listed.
    private static func keepSweeping(_ stage: Stage) async {
        guard let database = try? await stage.connect() else { return }
        while !Task.isCancelled {
            _ = try? await database.query(
                """
                update dialtone.tenant_tags set due_at = clock_timestamp(), seen_era = null
                where due_at > clock_timestamp()
                """)
            try? await Task.sleep(for: .seconds(1))
        }
        await database.close()
    }

    /// Asks for three tokens a second, at random moments. Returns the milliseconds of each; nil: it was not handed out.
    private static func askForTokens(_ port: Int, key: String) async -> [Double?] {
        let start = ContinuousClock.now
        return await withTaskGroup(of: Double?.self) { group in
            for number in 0..<Self.seconds * Self.tokensPerSecond {
                let moment = (Double(number) + Double.random(in: 0..<1)) / Double(Self.tokensPerSecond)
                group.addTask {
                    try? await Task.sleep(until: start + .seconds(moment))
                    return await Self.askForToken("user-\(number + 1)", port, key: key)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func askForToken(_ user: String, _ port: Int, key: String) async -> Double? {
        guard let url = URL(string: "http://127.0.0.1:\(port)/v1/login-tokens") else { return nil }
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("Bearer \(key)", forHTTPHeaderField: "authorization")
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        request.httpBody = Data("{\"tenant\":\"acme\",\"user_id\":\"\(user)\"}".utf8)
        let sentAt = ContinuousClock.now
        guard let (_, response) = try? await URLSession.shared.data(for: request),
            (response as? HTTPURLResponse)?.statusCode == 200
        else { return nil }
        return (ContinuousClock.now - sentAt) / .milliseconds(1)
    }

    /// Returns how many requests of each kind the simulator has had.
    private static func requests(_ control: SimulatorControl) async throws -> [String: Double] {
        struct Counts: Decodable { var requests: [String: Double] }
        return try await control.ask("counts", for: Counts.self).requests
    }
}
