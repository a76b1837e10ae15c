// SPDX-License-Identifier: Apache-2.0
// One running Dialtone behind a PgBouncer, with a login that has the service's rights and no more.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import Postgres
import PrivatePostgres
import TestSupport
import Testing

/// A database behind a pooler, a provider, and the settings that say so.
struct PooledPlace: Sendable {
    let database: TestDatabase
    /// The login that the pooler lets in.
    let login: String
    /// A connection string that leads through the pooler, and another text than `DATABASE_URL`.
    let otherWay: String
    /// The simulated provider's URL.
    let provider: String
    /// What an operator writes. The settings say that there is a pooler.
    let flags: [String: String]

    static let providerKey = "test-key"
    private static let password = "sesame"

    /// Runs the pooler and the provider. `options`: what the pooler does with settings sent at start-up.
    static func with(
        mode: PrivatePgBouncer.Mode = .transaction, options: PrivatePgBouncer.Options = .refused,
        _ work: (PooledPlace) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let server = try await TestServer.shared.server()
            try await Self.withLogin(database) { login in
                try await PrivatePgBouncer.with(server, login, mode: mode, options: options) { pooler in
                    try await Story.withSimulator(apiKeys: [Self.providerKey]) { provider in
                        let kek = FileManager.default.temporaryDirectory.appendingPathComponent("kek-\(UUID())").path
                        try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
                        defer { try? FileManager.default.removeItem(atPath: kek) }
                        let name = try PostgresConfiguration(url: database.url).database ?? ""
                        let direct = database.url.replacing("user=postgres", with: "user=\(login.name)")
                        let flags = [
                            "DATABASE_URL": pooler.url(database: name), "DATABASE_DIRECT_URL": direct,
                            "DIALTONE_POOLER": "transaction", "DIALTONE_KEK": "file:\(kek)",
                            "TELNYX_API_KEY": Self.providerKey, "TELNYX_BASE_URL": "\(provider)/v2",
                            "DIALTONE_LISTEN": "127.0.0.1:0",
                        ]
                        try await work(
                            PooledPlace(
                                database: database, login: login.name,
                                otherWay: pooler.url(database: name) + "&application_name=other", provider: provider,
                                flags: flags))
                    }
                }
            }
        }
    }

    /// Lends a login that is a member of `dialtone_service`, as `docs/settings.md` asks for, and drops it.
    private static func withLogin(
        _ database: TestDatabase, _ work: (PrivatePgBouncer.Login) async throws -> Void
    ) async throws {
        let name = "pooled_\(UUID().uuidString.prefix(8).lowercased())"
        try await database.admin.script("create role \(name) login in role dialtone_service")
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(PrivatePgBouncer.Login(name: name, password: Self.password)))
        } catch {
            outcome = .failure(error)
        }
        try await database.admin.script("drop role \(name)")
        try outcome.get()
    }

    /// The settings of a service that is not told of the pooler.
    func settingsWithoutPooler() async throws -> Settings { try await self.settings(["DIALTONE_POOLER": nil]) }

    /// Settings with these changes. Nil takes one away.
    func settings(_ changes: [String: String?] = [:]) async throws -> Settings {
        var flags = self.flags
        for (name, value) in changes { flags[name] = value }
        return try await Settings.read(flags: flags)
    }

    /// Expects that `serve` does not start and that `check` fails, both with these words and without the password.
    func expectRefusal(_ settings: Settings, naming words: String...) async throws {
        let error = await #expect(throws: (any Error).self) {
            try await Story.withNode(settings) { address in Issue.record("it listens on \(address)") }
        }
        let problems = try await Administration(settings).check(provider: false).compactMap(\.problem)
        for text in [error.map { "\($0)" } ?? "", problems.joined(separator: "\n")] {
            for word in words { #expect(text.contains(word), "\(text)") }
            #expect(!text.contains(Self.password), "the message shows the password")
        }
    }

    /// Ends the pooler's server sessions, so that it makes new ones.
    func letPoolerConnectAnew() async throws {
        _ = try await self.database.admin.query(
            "select pg_terminate_backend(pid, 10000)::text from pg_stat_activity where usename = \(self.login)")
    }

    /// Runs a node with these settings, a tenant, a source and a key.
    func run(_ work: (Story) async throws -> Void) async throws {
        let settings = try await self.settings()
        try await Story.withNode(settings) { address in
            try await Story.withHTTPClient { http in
                try await work(try await self.story(settings, at: address, http))
            }
        }
    }

    private func story(_ settings: Settings, at address: String, _ http: HTTPClient) async throws -> Story {
        var settings = settings
        settings.publicURL = address
        let administration = Administration(settings)
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        let key = try await administration.createKey(tenant: tenant, scopes: Scope.allCases)
        return Story(
            database: self.database, provider: StoryProvider(url: self.provider, key: Self.providerKey, http: http),
            address: address, hookURL: source.url, secret: try source.madeSecret(), key: key.key, http: http,
            settings: settings)
    }
}
