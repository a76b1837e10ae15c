// SPDX-License-Identifier: Apache-2.0
// One running Dialtone for a test: a database, a simulated provider, a tenant with a source and a key.

import AsyncHTTPClient
import Composition
import Foundation
import Intake
import Logging
import Model
import Postgres
import TestSupport
import Testing

/// The subject of every test here. The `Story….swift` files beside this one have its verbs: requests, users, jobs, the
/// provider and the operator. Every verb that takes a user means one of the tenant `acme`.
struct Story: Sendable {
    let database: TestDatabase
    let provider: StoryProvider
    /// The node's URL.
    let address: String
    let hookURL: String
    /// The source's signing secret.
    let secret: String
    /// An API key with every scope.
    let key: String
    let http: HTTPClient
    /// Those of the node; `publicURL` is its address.
    let settings: Settings

    var hookPath: String { String(self.hookURL.dropFirst(self.address.count)) }

    /// Runs everything. `changes` are beside or instead of the usual settings; `adjust` changes what no setting can be.
    /// `clock` is the time at which senders' signatures are judged; nil: now. `fetchKeys` gets the keys that senders
    /// publish; nil: over the public internet. `stopped` runs when the node has stopped: nobody but the test acts then.
    static func with(
        _ changes: [String: String] = [:], logger: Logger = Self.quiet, clock: Date? = nil,
        fetchKeys: JWKSCache.Fetch? = nil, _ adjust: (inout Settings) -> Void = { _ in },
        _ work: (Story) async throws -> Void, stopped: (Story) async throws -> Void = { _ in }
    ) async throws {
        try await TestDatabase.with { database in
            let kek = FileManager.default.temporaryDirectory.appendingPathComponent("kek-\(UUID().uuidString)").path
            try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: kek) }
            try await Self.withSimulator(apiKeys: [Self.providerKey]) { provider in
                var settings = try await Settings.read(
                    flags: [
                        "DATABASE_URL": database.url, "DIALTONE_KEK": "file:\(kek)",
                        "TELNYX_API_KEY": Self.providerKey, "TELNYX_BASE_URL": "\(provider)/v2",
                        "DIALTONE_LISTEN": "127.0.0.1:0",
                    ].merging(changes) { $1 })
                adjust(&settings)
                try await Self.withHTTPClient { http in
                    var made: Story?
                    try await Self.withNode(settings, logger: logger, clock: clock, fetchKeys: fetchKeys) {
                        [settings] address in
                        let story = try await Self.make(settings, at: address, database, provider, http)
                        made = story
                        try await work(story)
                    }
                    try await stopped(try #require(made))
                }
            }
        }
    }

    private static let providerKey = "test-key"

    private static func make(
        _ settings: Settings, at address: String, _ database: TestDatabase, _ provider: String, _ http: HTTPClient
    ) async throws -> Story {
        var settings = settings
        settings.publicURL = address
        let administration = Administration(settings)
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        let key = try await administration.createKey(tenant: tenant, scopes: Scope.allCases)
        return Story(
            database: database, provider: StoryProvider(url: provider, key: Self.providerKey, http: http),
            address: address, hookURL: source.url, secret: try source.madeSecret(), key: key.key, http: http,
            settings: settings)
    }

    /// Waits until the statement returns a row. If none comes, the failure tells which jobs are left.
    func until(_ statement: SQL) async throws {
        do {
            try await self.database.until(statement)
        } catch let error as TestDatabase.NeverCame {
            Issue.record("\(error); jobs: \(try await self.openJobs())")
            throw CancellationError()
        }
    }

    /// The first column of each row, as text.
    func rows(_ statement: SQL) async throws -> [String] {
        try await self.database.admin.query(statement).map { try $0.decode(String.self) }
    }

    /// The steps of the jobs that are left, for a failure's message.
    private func openJobs() async throws -> [String] {
        let tags = try await self.rows(
            """
            select concat_ws(' ', tag, held, opened, room) from dialtone.tenant_tags
            order by tenant_id, shard desc limit 9
            """)
        let jobs = try await self.rows(
            """
            select concat_ws(' ', j.user_id, j.state, 'epoch', j.epoch, 'due in', j.run_at - now(), 'settled in',
                             j.quiet_until - now(), '|',
                             string_agg(concat_ws(' ', l.from_state, l.to_state, l.http_status, l.error_code,
                                                  l.at::time), ', ' order by l.at))
            from dialtone.jobs j left join dialtone.job_log l using (tenant_id, user_id)
            group by j.id
            """)
        return tags + jobs.map { String($0.prefix(2000)) }
    }
}
