// SPDX-License-Identifier: Apache-2.0
// The place of a restore: a PostgreSQL server that can be stopped and brought back, and a provider that outlives it.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import Postgres
import PrivatePostgres
import Schema

struct RestorePlace: Sendable {
    let server: PrivatePostgres
    let folder: URL
    let kek: String
    let provider: StoryProvider

    static func with(_ work: (RestorePlace) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-restore-\(UUID())")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        let outcome: Result<Void, any Error>
        do {
            let kek = folder.appendingPathComponent("kek").path
            try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
            try await Self.createDatabases(["dialtone"], on: server)
            try await Story.withSimulator { url in
                try await Story.withHTTPClient { http in
                    let provider = StoryProvider(url: url, key: "key", http: http)
                    try await work(RestorePlace(server: server, folder: folder, kek: kek, provider: provider))
                }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await server.stop(mode: "immediate")
        server.remove()
        try outcome.get()
    }

    /// The same provider and keys beside another server.
    func on(_ server: PrivatePostgres) -> RestorePlace {
        RestorePlace(server: server, folder: self.folder, kek: self.kek, provider: self.provider)
    }

    /// Reads the dump into a new database. The roles come from a migration of another one.
    func restore(_ dump: URL, on server: PrivatePostgres) async throws {
        try await Self.createDatabases(["roles", "dialtone"], on: server)
        let roles = try await PostgresConnection.connect(PostgresConfiguration(url: server.url(database: "roles")))
        _ = try await Schema().migrate(on: roles)
        await roles.close()
        try await server.load(dump, into: "dialtone")
    }

    /// Reads the dump into the database that it was made of, while the server runs.
    func loadAgain(_ dump: URL) async throws {
        let admin = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.server.url(database: "dialtone")))
        try await admin.script("drop schema dialtone cascade")
        await admin.close()
        try await self.server.load(dump, into: "dialtone")
    }

    /// Runs an API and a worker on the server as it is now. `changes` are beside or instead of the usual settings.
    func withNode(_ changes: [String: String] = [:], _ work: (RunningNode) async throws -> Void) async throws {
        let settings = try await self.settings(changes)
        let administration = Administration(settings)
        _ = try await administration.migrate(dryRun: false)
        let source = try await self.source(administration)
        let admin = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.server.url(database: "dialtone")))
        do {
            try await Story.withNode(settings) { address in
                let sender = try SignUpSender(
                    url: address + source.path, secret: Secret(source.secret), http: self.provider.http)
                try await work(
                    RunningNode(
                        administration: administration, address: address, provider: self.provider, sender: sender,
                        admin: admin))
            }
        } catch {
            await admin.close()
            throw error
        }
        await admin.close()
    }

    func settings(_ changes: [String: String] = [:]) async throws -> Settings {
        try await Settings.read(
            flags: [
                "DATABASE_URL": self.server.url(database: "dialtone"), "DIALTONE_KEK": "file:\(self.kek)",
                "TELNYX_API_KEY": self.provider.key, "TELNYX_BASE_URL": "\(self.provider.url)/v2",
                "DIALTONE_LISTEN": "127.0.0.1:0", "DIALTONE_HTTP_DEADLINE": "1s", "DIALTONE_PROVIDER_MARGIN": "1s",
                "DIALTONE_LEASE": "6s", "DIALTONE_TAG_CAPACITY": "2", "DIALTONE_SWEEP_INTERVAL": "1h",
            ].merging(changes) { $1 })
    }

    /// The source of the first time. Its secret lies beside the server, as the sender keeps it.
    private func source(_ administration: Administration) async throws -> (path: String, secret: String) {
        let kept = self.folder.appendingPathComponent("source")
        if let text = try? String(contentsOf: kept, encoding: .utf8).split(separator: " "), text.count == 2 {
            return (String(text[0]), String(text[1]))
        }
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let made = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        let path = String(made.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
        let secret = try made.madeSecret()
        try "\(path) \(secret)".write(to: kept, atomically: true, encoding: .utf8)
        return (path, secret)
    }

    private static func createDatabases(_ names: [String], on server: PrivatePostgres) async throws {
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        for name in names { try await control.script("create database \(name)") }
        await control.close()
    }
}

extension RestorePlace {
    /// A node on the server as it is now. Its users are `u-1`, `u-2`, …, by number.
    struct RunningNode: Sendable {
        let administration: Administration
        /// The node's URL.
        let address: String
        let provider: StoryProvider
        let sender: SignUpSender
        /// A test that restarts the server connects anew.
        var admin: PostgresConnection

        /// Signs the users up, each with the same delivery every time; returns the statuses of the answers.
        @discardableResult
        func signUp(_ numbers: ClosedRange<Int>) async throws -> [Int] {
            var statuses: [Int] = []
            for number in numbers { statuses.append(try await self.send(.created, number)) }
            return statuses
        }

        @discardableResult
        func send(_ type: Story.EventType, _ number: Int) async throws -> Int {
            try await self.sender.send(
                type: type.rawValue, user: try Story.user("u-\(number)"), deliveryID: "\(type.rawValue)-\(number)",
                at: Date(), occurredAt: Date(timeIntervalSince1970: type == .created ? 1_790_000_000 : 1_790_000_060)
            ).status
        }

        func userCount() async throws -> Int { try await self.rows("select user_id from dialtone.users").count }
        func tagCount() async throws -> Int { try await self.rows("select tag from dialtone.tenant_tags").count }

        /// The provider's ids of all credentials in the ledger, sorted.
        func providerIDs() async throws -> [String] {
            try await self.rows("select provider_id from dialtone.credentials").sorted()
        }

        func waitUntilReady(_ count: Int) async throws {
            try await self.until("select 1 from dialtone.users where status = 'ready' having count(*) = \(count)")
        }

        func waitUntil(_ user: String, is status: UserStatus) async throws {
            try await self.until("select 1 from dialtone.users where user_id = \(user) and status = \(status)")
        }

        func waitUntilJob(of user: String, is state: JobState) async throws {
            try await self.until("select 1 from dialtone.jobs where user_id = \(user) and state = \(state)")
        }

        /// Waits until nothing is deleted before an operator's word.
        func waitUntilStopped() async throws {
            try await self.until("select 1 from dialtone.incarnation where is_stopped and has_lost")
        }

        /// Waits until a worker has met the server as it is now, and has named what changed.
        func waitUntilMet(_ change: String) async throws {
            try await self.until("select 1 from dialtone.incarnation where change = \(change)")
        }

        private func until(_ statement: SQL) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while try await self.admin.query(statement).isEmpty {
                guard ContinuousClock.now < deadline else { throw Late(statement: "\(statement)") }
                _ = try await self.admin.query("select pg_sleep(0.05)::text")
            }
        }

        private func rows(_ statement: SQL) async throws -> [String] {
            try await self.admin.query(statement).map { try $0.decode(String.self) }
        }
    }

    private struct Late: Error {
        let statement: String
    }
}
