// SPDX-License-Identifier: Apache-2.0
// A database as a host rents it out: no superuser for the customer, one login that migrates and another that serves.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import PrivatePostgres
import Testing

/// A private server whose superuser belongs to the host. `dialtone_migrator` has CREATEROLE and CREATEDB, and
/// `dialtone_app` has nothing.
struct ManagedPlace: Sendable {
    let server: PrivatePostgres
    let folder: URL
    let kek: String
    let provider: StoryProvider
    /// The host's superuser, in the database `dialtone`. It hides functions, and looks into tables for a test.
    let host: PostgresConnection

    /// Makes logins and an empty database, and lends them. `serverSettings` are those of the server.
    static func with(
        serverSettings: [String: String] = [:], _ work: (ManagedPlace) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-managed-\(UUID())")
        let server = try await PrivatePostgres.start(in: folder, settings: serverSettings)
        server.stopAtExit(removingData: true)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await Self.with(server, in: folder, work))
        } catch {
            outcome = .failure(error)
        }
        try await server.stop(mode: "immediate")
        server.remove()
        try outcome.get()
    }

    private static func with(
        _ server: PrivatePostgres, in folder: URL, _ work: (ManagedPlace) async throws -> Void
    ) async throws {
        let kek = folder.appendingPathComponent("kek").path
        try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
        let maker = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await maker.script(
            "create role dialtone_migrator login createrole createdb; create role dialtone_app login")
        await maker.close()
        try await Self.createDatabase("dialtone", on: server)
        let host = try await PostgresConnection.connect(PostgresConfiguration(url: server.url(database: "dialtone")))
        try await Story.withSimulator { url in
            try await Story.withHTTPClient { http in
                let provider = StoryProvider(url: url, key: "key", http: http)
                try await work(
                    ManagedPlace(server: server, folder: folder, kek: kek, provider: provider, host: host))
            }
        }
        await host.close()
    }

    static func createDatabase(_ name: String, on server: PrivatePostgres) async throws {
        let migrator = try await PostgresConnection.connect(
            PostgresConfiguration(url: Self.url("dialtone_migrator", "postgres", on: server)))
        try await migrator.script("create database \(name)")
        await migrator.close()
    }

    private static func url(_ login: String, _ database: String, on server: PrivatePostgres) -> String {
        server.url(database: database).replacing("user=postgres", with: "user=\(login)")
    }

    func url(_ login: String, database: String = "dialtone") -> String {
        Self.url(login, database, on: self.server)
    }

    /// The settings of a process with this login. `changes` are beside or instead of the usual ones.
    func settings(
        _ login: String, database: String = "dialtone", _ changes: [String: String] = [:]
    ) async throws -> Settings {
        try await Settings.read(
            flags: [
                "DATABASE_URL": self.url(login, database: database), "DIALTONE_KEK": "file:\(self.kek)",
                "TELNYX_API_KEY": self.provider.key, "TELNYX_BASE_URL": "\(self.provider.url)/v2",
                "DIALTONE_LISTEN": "127.0.0.1:0", "DIALTONE_SWEEP_INTERVAL": "1h",
            ].merging(changes) { $1 })
    }

    /// `dialtone migrate --serve-as dialtone_app`, with the login that migrates.
    @discardableResult
    func migrate(makesRolesOnly: Bool = false) async throws -> [MigrationLine] {
        try await Administration(try await self.settings("dialtone_migrator")).migrate(
            wait: .seconds(30), servingLogin: "dialtone_app", makesRolesOnly: makesRolesOnly, tell: { _ in })
    }

    /// Waits until the statement returns a row, for 60 seconds. The pause is the database's.
    func until(_ statement: SQL) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await self.host.query(statement).isEmpty {
            try #require(ContinuousClock.now < deadline, "\(statement) returned no row")
            _ = try await self.host.query("select pg_sleep(0.05)::text")
        }
    }
}

extension ManagedPlace {
    /// A tenant with a hook and a key, made by the login that serves.
    struct Customer: Sendable {
        let hookPath: String
        let secret: String
        let key: String
    }

    func makeCustomer(_ settings: Settings) async throws -> Customer {
        let administration = Administration(settings)
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        let key = try await administration.createKey(tenant: tenant, scopes: Scope.allCases)
        let path = String(source.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
        return Customer(hookPath: path, secret: try source.madeSecret(), key: key.key)
    }

    /// Sends a signed event; returns the status of the answer.
    func send(
        _ type: Story.EventType, _ user: String, of customer: Customer, to address: String, at time: Date = Date()
    ) async throws -> Int {
        let sender = try SignUpSender(
            url: address + customer.hookPath, secret: Secret(customer.secret), http: self.provider.http)
        return try await sender.send(
            type: type.rawValue, user: try Story.user(user), deliveryID: "\(type.rawValue)-\(user)", at: Date(),
            occurredAt: time
        ).status
    }

    /// Signs the user up, waits for the credential, and asks for what an app and a customer ask for.
    func signUp(_ user: String, of customer: Customer, at address: String) async throws {
        #expect(try await self.send(.created, user, of: customer, to: address) == 202)
        try await self.until("select 1 from dialtone.users where user_id = \(user) and status = 'ready'")
        let token = try await self.provider.http.reply(
            .POST, address + "/v1/login-tokens", #"{"user_id":"\#(user)"}"#,
            ["authorization": "Bearer \(customer.key)", "content-type": "application/json"])
        #expect(token.status == 200, "\(token.body)")
        for path in ["users", "users/\(user)", "users/\(user)/timeline"] {
            let shown = try await self.provider.http.reply(
                .GET, address + "/v1/tenants/acme/\(path)", "", ["authorization": "Bearer \(customer.key)"])
            #expect(shown.status == 200, "\(path): \(shown.body)")
        }
    }
}
