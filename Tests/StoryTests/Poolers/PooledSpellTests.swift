// SPDX-License-Identifier: Apache-2.0
// A read-only spell behind PgBouncer: the service says so, and afterwards no word of the pooler keeps it away.

import Composition
import Foundation
import Postgres
import PrivatePostgres
import TestSupport
import Testing

@Suite(
    .enabled(
        if: PrivatePgBouncer.isInstalled,
        "PgBouncer is not installed, so no read-only spell is tested behind a pooler; `scripts/setup` installs it"),
    .timeLimit(.minutes(10))
)
struct PooledSpellTests {
    @Test(arguments: [Outage.readOnly, .readOnlyFromBirth])
    func `behind a pooler a service says that no writes are taken, and is ready soon after`(
        spell: Outage
    ) async throws {
        try await RestorePlace.with { place in
            try await Self.withPooler(at: place) { changes in
                let status = "127.0.0.1:\(try FreePort.find())"
                try await place.withNode(changes.merging(["DIALTONE_STATUS_LISTEN": status]) { $1 }) { node in
                    let http = place.provider.http
                    let probes = [
                        RepeatedRequest(url: node.address + "/readyz"),
                        RepeatedRequest(url: "http://\(status)/readyz"),
                    ]
                    try await node.signUp(1...2)
                    try await node.waitUntilReady(2)
                    for probe in probes { try await probe.until(200, by: http) }

                    try await spell.begin(at: place)
                    for probe in probes { try await probe.until(503, by: http) }
                    let reasons = try await probes[1].until(503, by: http).body
                    let isNamed = ["takes no writes", "cannot be reached"].contains { reasons.contains($0) }
                    #expect(isNamed, "\(reasons)")
                    #expect(try await node.send(.created, 3) == 503)
                    let problems = try await node.administration.check(provider: false).compactMap(\.problem)
                    #expect(problems.contains { $0.contains("takes no writes") }, "\(problems)")

                    try await spell.end(at: place)
                    let end = ContinuousClock.now
                    for probe in probes { try await probe.until(200, by: http) }
                    while try await node.send(.created, 3) != 202 {
                        try #require(ContinuousClock.now - end < .seconds(30), "sign-ups are refused for ever")
                    }
                    #expect(ContinuousClock.now - end < Outage.soon)
                    try await Self.waitUntilReady(3, at: place, node)
                }
            }
        }
    }

    /// The pooler tells each client what the server said when it made the first session, in the spell.
    @Test func `a pooler that met its server in a read-only spell keeps nobody away afterwards`() async throws {
        try await RestorePlace.with { place in
            // Makes the schema, the tenant and the source.
            try await place.withNode { _ in }
            try await Self.withPooler(at: place) { changes in
                try await Outage.readOnly.begin(at: place)
                let administration = Administration(try await place.settings(changes))
                let during = try await administration.check(provider: false).compactMap(\.problem)
                #expect(during.contains { $0.contains("takes no writes") }, "\(during)")

                try await Outage.readOnly.end(at: place)
                let after = try await administration.check(provider: false).compactMap(\.problem)
                #expect(!after.contains { $0.contains("takes no writes") || $0.contains("read-only") }, "\(after)")
                try await place.withNode(changes) { node in
                    #expect(try await node.send(.created, 1) == 202)
                    try await node.waitUntilReady(1)
                }
            }
        }
    }

    /// The spell may have ended the node's own session.
    private static func waitUntilReady(
        _ count: Int, at place: RestorePlace, _ running: RestorePlace.RunningNode
    ) async throws {
        var node = running
        node.admin = try await PostgresConnection.connect(
            PostgresConfiguration(url: place.server.url(database: "dialtone")))
        try await node.waitUntilReady(count)
        await node.admin.close()
    }

    /// Runs a pooler with a login that serves, and lends the settings of a node behind it.
    private static func withPooler(
        at place: RestorePlace, _ work: ([String: String]) async throws -> Void
    ) async throws {
        _ = try await Administration(try await place.settings()).migrate(dryRun: false)
        let direct = place.server.url(database: "dialtone")
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: direct))
        let login = PrivatePgBouncer.Login(name: "pooled", password: "sesame")
        try await admin.script("create role \(login.name) login in role dialtone_service")
        await admin.close()
        try await PrivatePgBouncer.with(place.server, login, options: .refused) { pooler in
            try await work([
                "DATABASE_URL": pooler.url(database: "dialtone"), "DATABASE_DIRECT_URL": direct,
                "DIALTONE_POOLER": "transaction",
            ])
        }
    }
}
