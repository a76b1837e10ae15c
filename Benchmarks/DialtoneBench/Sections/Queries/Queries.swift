// SPDX-License-Identifier: Apache-2.0
// How long each query of the API takes with a million users in one of a thousand tenants, and how fast an export is.

import Composition
import Directory
import Foundation
import FoundationNetworking
import Model
import Postgres

struct QueryTimes: Encodable {
    struct Query: Encodable {
        var path: String
        var p50: Double
        var p99: Double
    }

    struct Export: Encodable {
        var rows: Int
        var rowsPerSecond: Double
        var restMiB: Double
        var mostMiB: Double
    }

    var users: Int
    /// Milliseconds over HTTP, one request after another.
    var queries: [Query]
    /// Milliseconds for the reasons of fifty users alone.
    var whyOfFifty: Query
    var export: Export
    /// The median of an answer about another tenant's thing divided by that about nobody's: the one furthest from 1.
    var wallRatio: Double

    static func measure(on bed: Bed, users: Int) async throws -> QueryTimes {
        let stage = try await bed.stage("bench_queries")
        Progress.tell("filling the ledger with \(users) users")
        let ground = QueryGround(stage: stage, users: users)
        try await ground.fill()
        let administration = Administration(try await Settings.read(flags: stage.environment))
        let key = try await administration.createKey(tenant: try TenantID("acme"), scopes: Scope.allCases).key
        var environment = stage.environment
        environment["DIALTONE_READS_PER_MINUTE"] = "1000000"
        let service = try await Running.start(stage.program, ["serve", "--roles", "api"], environment)
        defer { service.stop() }
        let client = APIClient(port: service.port, key: key)
        var queries: [Query] = []
        for path in Self.paths(users) { queries.append(try await client.time("/v1/tenants/acme/" + path, times: 200)) }
        queries += try await Self.waiting(client, ground)
        return QueryTimes(
            users: users, queries: queries, whyOfFifty: try await Self.why(stage),
            export: try await Self.export(client, service), wallRatio: try await Self.walls(client))
    }

    private static func paths(_ users: Int) -> [String] {
        var cursor = ""
        if let tenant = TenantID(rawValue: "acme"), let middle = UserID(rawValue: "user-\(users / 2)") {
            cursor = UserPlace(user: middle, received: 0).cursor(of: UserList(of: tenant))
        }
        return [
            "users", "users?after=\(cursor)", "users?limit=200", "users?status=failed", "users?status=pending,revoking",
            "users?status=ready", "users?order=-received_at", "users?order=-received_at&status=failed",
            "users?user_id_prefix=user-77", "users?tag=acme.7", "users?source=app", "users?email=nobody@example.com",
            "users?sip_username=gencred77", "users?user_id=user-77", "user-count", "user-count?status=failed",
            "user-count?source=app", "users/user-77", "users/user-77/why", "users/user-1001/why",
            "users/nobody/why", "users/user-77/timeline", "users/user-77/proof", "find?q=user-77",
            "find?q=gencred77", "find?q=nothing", "events", "events?user_id=user-77", "events?outcome=quarantined",
            "refusals", "jobs", "jobs?state=dead", "failures", "summary", "summary?hours=48",
            "summary?hours=2160", "tags", "findings",
        ]
    }

    /// Two pages of the people who wait: while each is asked for, and while they are too many for that. Those who wait
    /// come last, so that no other list has them.
    private static func waiting(_ client: APIClient, _ ground: QueryGround) async throws -> [Query] {
        let list = "/v1/tenants/acme/events?outcome=waiting"
        var queries: [Query] = []
        for people in [1...QueryGround.people, QueryGround.people + 1...2 * QueryGround.people + 1] {
            try await ground.addPeople(people)
            for path in [list, "\(list)&after=\(try await client.next(list))"] {
                var query = try await client.time(path, times: 200)
                query.path += " while \(people.count) people wait"
                queries.append(query)
            }
        }
        return queries
    }

    private static func why(_ stage: Stage) async throws -> Query {
        let parts = try SharedParts(try await Settings.read(flags: stage.environment), connections: 2)
        return try await Administration.running(parts.pool) { pool in
            let reasons = Reasons(reads: TenantReads(pool: pool))
            let (tenant, reader) = (try TenantID("acme"), Reader(tenant: try TenantID("acme")))
            var times: [Double] = []
            for turn in 0..<200 {
                // Half of them wait, so each costs what it can.
                let users = try (0..<50).map { try UserID("user-\((turn * 50 + $0) * 1000 % 1_000_000 + $0 % 2)") }
                let start = ContinuousClock.now
                _ = try await reasons.why(users, of: tenant, as: reader)
                times.append((ContinuousClock.now - start) / .milliseconds(1))
            }
            return Query(
                path: "why of fifty", p50: times.percentile(0.5).rounded2, p99: times.percentile(0.99).rounded2)
        }
    }

    private static func export(_ client: APIClient, _ service: Running) async throws -> Export {
        let rest = service.memory().now
        let start = ContinuousClock.now
        let rows = try await client.lines("/v1/tenants/acme/users", accept: "application/x-ndjson") - 1
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return Export(
            rows: rows, rowsPerSecond: (Double(rows) / seconds).rounded(), restMiB: rest,
            mostMiB: service.memory().highest)
    }

    private static func walls(_ client: APIClient) async throws -> Double {
        var furthest = 1.0
        for rest in ["users", "users/user-7", "users/user-7/why", "events", "summary", "tags", "find?q=user-7"] {
            // In turn, so that a slow drift of the machine meets both alike.
            let (there, nowhere) = try await client.timeInTurn(
                "/v1/tenants/t-7/" + rest, "/v1/tenants/nowhere/" + rest, times: 500, status: 404)
            let ratio = there / max(nowhere, 0.001)
            if abs(ratio - 1) > abs(furthest - 1) { furthest = ratio }
        }
        return furthest.rounded2
    }
}
