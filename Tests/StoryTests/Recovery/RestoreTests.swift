// SPDX-License-Identifier: Apache-2.0
// A ledger brought back from before the last creates, with PostgreSQL itself: what was made since is adopted, never
// made again.

import AsyncHTTPClient
import Composition
import Foundation
import Logging
import Model
import NIOCore
import Postgres
import PrivatePostgres
import Schema
import ServiceLifecycle
import TelnyxSimulator
import TestSupport
import Testing

@Suite struct RestoreTests {
    /// The disk as it was, under the same server: as far as anybody can tell it has merely been restarted.
    @Test func aSnapshotOfTheDiskBroughtBackIsCaughtUpByTheWebhooksThatComeAgain() async throws {
        try await Place.with { place in
            try await place.withNode { node in
                try await node.signUp(1...2)
                try await node.untilReady(2)
            }
            try await place.server.stop()
            let snapshot = place.folder.appendingPathComponent("snapshot")
            try await place.server.takeSnapshot(to: snapshot)
            try await place.server.startAgain()
            try await place.withNode { node in
                try await node.signUp(3...6)
                try await node.untilReady(6)
                #expect(
                    try await node.rows("select tag from dialtone.tenant_tags").count >= 3, "shards were opened since")
            }
            let before = try await place.credentials()
            #expect(before.count == 6)
            try await place.server.stop(mode: "immediate")
            try await place.server.returnToSnapshot(in: snapshot)
            try await place.server.startAgain()
            try await place.withNode { node in
                #expect(try await node.rows("select user_id from dialtone.users").count == 2)
                let statuses = try await node.signUp(1...6)
                #expect(statuses == [200, 200, 202, 202, 202, 202])
                try await node.untilReady(6)
                #expect(try await node.rows("select provider_id from dialtone.credentials").sorted() == before)
            }
            #expect(try await place.credentials() == before)
            #expect(try await place.counts() == "6 made, 0 deleted")
        }
    }

    /// A dump read back on another system: nothing is deleted until an operator has said that it is the same
    /// installation.
    @Test func aDumpReadBackElsewhereAdoptsAndDeletesNothing() async throws {
        try await Place.with { place in
            let dump = place.folder.appendingPathComponent("dialtone.sql")
            try await place.withNode { node in
                try await node.signUp(1...2)
                try await node.untilReady(2)
            }
            try await place.server.dump("dialtone", to: dump)
            try await place.withNode { node in
                try await node.signUp(3...6)
                try await node.untilReady(6)
            }
            let before = try await place.credentials()
            let elsewhere = try await PrivatePostgres.start(in: place.folder.appendingPathComponent("elsewhere"))
            elsewhere.stopAtExit(removingData: true)
            let outcome: Result<Void, any Error>
            do {
                try await place.restore(dump, on: elsewhere)
                outcome = .success(try await place.on(elsewhere).withNode { try await Self.comeBack($0, before) })
            } catch {
                outcome = .failure(error)
            }
            try await elsewhere.stop(mode: "immediate")
            elsewhere.remove()
            try outcome.get()
            #expect(try await place.counts() == "6 made, 1 deleted")
        }
    }

    private static func comeBack(_ node: Place.RunningNode, _ before: [String]) async throws {
        try await node.until("select 1 from dialtone.incarnation where is_stopped and looks_twice")
        try await node.signUp(1...6)
        try await node.untilReady(6)
        #expect(try await node.rows("select provider_id from dialtone.credentials").sorted() == before)
        try await node.send("user.deleted", 1)
        try await node.until("select 1 from dialtone.jobs where user_id = 'u-1' and state = 'scheduled'")
        #expect(try await node.place.credentials() == before, "a clone would delete what is its original's")
        let administration = Administration(node.settings)
        try await administration.confirmInstallation(isClone: false)
        _ = try await administration.retry(UserKey(tenant: try TenantID("acme"), user: try UserID("u-1")))
        try await node.until("select 1 from dialtone.users where user_id = 'u-1' and status = 'revoked'")
        #expect(try await node.place.credentials().count == 5)
    }
}

/// A server of one's own, which can be stopped and brought back, and a provider that outlives it.
private struct Place {
    let server: PrivatePostgres
    let folder: URL
    let kek: String
    let provider: String
    let http: HTTPClient

    struct RunningNode {
        let place: Place
        let settings: Settings
        let sender: SignUpSender
        let admin: PostgresConnection

        /// The statuses that the sender was told.
        @discardableResult
        func signUp(_ numbers: ClosedRange<Int>) async throws -> [Int] {
            var statuses: [Int] = []
            for number in numbers { statuses.append(try await self.send("user.created", number)) }
            return statuses
        }

        @discardableResult
        func send(_ type: String, _ number: Int) async throws -> Int {
            let user = UserKey(tenant: try TenantID("acme"), user: try UserID("u-\(number)"))
            return try await self.sender.send(
                type: type, user: user, deliveryID: "\(type)-\(number)", at: Date(),
                occurredAt: Date(timeIntervalSince1970: type == "user.created" ? 1_790_000_000 : 1_790_000_060)
            ).status
        }

        func untilReady(_ count: Int) async throws {
            try await self.until(
                "select 1 from dialtone.users where status = 'ready' having count(*) = \(Int64(count))")
        }

        func until(_ statement: SQL) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while try await self.admin.query(statement).isEmpty {
                guard ContinuousClock.now < deadline else { throw Late(statement: "\(statement)") }
                _ = try await self.admin.query("select pg_sleep(0.05)::text")
            }
        }

        func rows(_ statement: SQL) async throws -> [String] {
            try await self.admin.query(statement).map { try $0.decode(String.self) }
        }
    }

    private struct Late: Error {
        let statement: String
    }

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func with(_ work: (Place) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-restore-\(UUID())")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        let (ports, port) = AsyncStream<Int>.makeStream()
        let simulator = try TelnyxSimulator(configuration: .init(), logger: Self.quiet) { port.yield($0) }
        let group = ServiceGroup(services: [simulator], logger: Self.quiet)
        let http = HTTPClient()
        let outcome = try await withThrowingTaskGroup(of: Void.self, returning: Result<Void, any Error>.self) { tasks in
            tasks.addTask { try await group.run() }
            let number = try #require(await ports.first { _ in true })
            let kek = folder.appendingPathComponent("kek").path
            try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
            let place = Place(
                server: server, folder: folder, kek: kek, provider: "http://127.0.0.1:\(number)", http: http)
            let outcome: Result<Void, any Error>
            do {
                let control = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
                try await control.script("create database dialtone")
                await control.close()
                outcome = .success(try await work(place))
            } catch {
                outcome = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return outcome
        }
        try await http.shutdown()
        try await server.stop(mode: "immediate")
        server.remove()
        try outcome.get()
    }

    func on(_ server: PrivatePostgres) -> Place {
        Place(server: server, folder: self.folder, kek: self.kek, provider: self.provider, http: self.http)
    }

    /// The dump in a new database; the roles come from a migration of another.
    func restore(_ dump: URL, on server: PrivatePostgres) async throws {
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await control.script("create database roles")
        try await control.script("create database dialtone")
        await control.close()
        let roles = try await PostgresConnection.connect(PostgresConfiguration(url: server.url(database: "roles")))
        _ = try await Schema().migrate(on: roles)
        await roles.close()
        try await server.load(dump, into: "dialtone")
    }

    /// Runs an api and a worker on the server as it is now.
    func withNode(_ work: (RunningNode) async throws -> Void) async throws {
        var settings = try await Settings.read(
            flags: [
                "DATABASE_URL": self.server.url(database: "dialtone"), "DIALTONE_KEK": "file:\(self.kek)",
                "TELNYX_API_KEY": "key", "TELNYX_BASE_URL": "\(self.provider)/v2", "DIALTONE_LISTEN": "127.0.0.1:0",
                "DIALTONE_HTTP_DEADLINE": "1s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "6s",
                "DIALTONE_TAG_CAPACITY": "2", "DIALTONE_SWEEP_INTERVAL": "1h",
            ])
        let administration = Administration(settings)
        _ = try await administration.migrate(dryRun: false)
        let source = try await self.source(administration)
        let (addresses, address) = AsyncStream<String>.makeStream()
        let node = try await Node(settings, roles: [.api, .worker], logger: Self.quiet) { address.yield($0) }
        let services = ServiceGroup(services: node.services, logger: Self.quiet)
        let admin = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.server.url(database: "dialtone")))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            settings.publicURL = await addresses.first { _ in true }
            let path = source.path
            let sender = try SignUpSender(
                url: (settings.publicURL ?? "") + path, secret: Secret(source.secret), http: self.http)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(
                    try await work(RunningNode(place: self, settings: settings, sender: sender, admin: admin)))
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            await admin.close()
            try outcome.get()
        }
    }

    /// The source of the first time; its secret is kept beside the server, as the sender keeps it.
    private func source(_ administration: Administration) async throws -> (path: String, secret: String) {
        let kept = self.folder.appendingPathComponent("source")
        if let text = try? String(contentsOf: kept, encoding: .utf8).split(separator: " "), text.count == 2 {
            return (String(text[0]), String(text[1]))
        }
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let made = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        let path = String(made.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" })
        try "\(path) \(made.secret)".write(to: kept, atomically: true, encoding: .utf8)
        return (path, made.secret)
    }

    // MARK: The provider

    func credentials() async throws -> [String] {
        struct Held: Decodable {
            struct One: Decodable { var id: String }
            var data: [One]
        }
        return try JSONDecoder().decode(Held.self, from: try await self.get("/control/credentials")).data.map(\.id)
            .sorted()
    }

    func counts() async throws -> String {
        struct Counts: Decodable {
            struct One: Decodable { var creates: Int, deletes: Int }
            var names: [String: One]
        }
        let names = try JSONDecoder().decode(Counts.self, from: try await self.get("/control/counts")).names.values
        return "\(names.reduce(0) { $0 + $1.creates }) made, \(names.reduce(0) { $0 + $1.deletes }) deleted"
    }

    private func get(_ path: String) async throws -> Data {
        let answer = try await self.http.execute(HTTPClientRequest(url: self.provider + path), timeout: .seconds(10))
        return Data(try await answer.body.collect(upTo: 1 << 22).readableBytesView)
    }
}
