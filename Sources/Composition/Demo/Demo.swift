// SPDX-License-Identifier: Apache-2.0
// The whole story on one machine, with nothing to set up: a database, a provider, two tenants, sign-ups, a login token.

import AsyncHTTPClient
import Directory
import Foundation
import Intake
import Logging
package import Model
import NIOCore
import NIOHTTP1
import Postgres
import PrivatePostgres
import ServiceLifecycle
import Telemetry
import TelnyxSimulator
import Vault

/// `dialtone demo`.
package struct Demo: Sendable {
    package struct Options: Sendable {
        package var users = 12
        package var folder = ".dialtone/demo"
        /// Nil: port 8080, or any if that is taken.
        package var listen: String?
        package init() {}
    }

    /// A tenant of the demo with what its own systems would hold.
    package struct Customer: Sendable {
        package let tenant: TenantID
        package let hookURL: String
        package let secret: Secret<String>
        package let key: Secret<String>
    }

    private let options: Options
    private let progress: @Sendable (String) -> Void

    package init(_ options: Options, progress: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.progress = progress
    }

    /// Runs the demo; `show` gets the report while everything is up, and the demo ends when it returns.
    package func run(_ show: (DemoReport) async throws -> Void) async throws {
        self.progress("starting a private PostgreSQL")
        let folder = URL(fileURLWithPath: self.options.folder).standardizedFileURL
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit()
        do {
            try await self.run(on: server, folder: folder, show)
        } catch {
            await self.end(server)
            throw error
        }
        await self.end(server)
    }

    private func end(_ server: PrivatePostgres) async {
        try? await server.stop()
        server.removeSocket()
    }

    private func run(
        on server: PrivatePostgres, folder: URL, _ show: (DemoReport) async throws -> Void
    ) async throws {
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await control.script("drop database if exists dialtone_demo with (force)")
        try await control.script("create database dialtone_demo")
        await control.close()
        let logger = Logger(label: "demo") { JSONLogHandler(label: $0, level: .error) }
        let simulatorPort = Ready<Int>()
        var simulated = TelnyxSimulator.Configuration()
        simulated.apiKeys = ["demo-provider-key"]
        let simulator = try TelnyxSimulator(configuration: simulated, logger: logger) { simulatorPort.set($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let provided = ServiceGroup(services: [simulator], logger: logger)
            group.addTask {
                defer { simulatorPort.end() }
                try await provided.run()
            }
            let provider = "http://127.0.0.1:\(try await simulatorPort.value())"
            let settings = try await Settings.read(flags: [
                "DATABASE_URL": server.url(database: "dialtone_demo"),
                "DIALTONE_KEK": "file:\(try self.kek(in: folder))",
                "TELNYX_API_KEY": "demo-provider-key", "TELNYX_BASE_URL": "\(provider)/v2",
                "DIALTONE_LISTEN": self.options.listen ?? "127.0.0.1:\(PortProbe.isFree(8080) ? 8080 : 0)",
            ])
            self.progress("migrating the database")
            _ = try await Administration(settings).migrate(dryRun: false)
            let address = Ready<String>()
            let node = try await Node(settings, roles: [.api, .worker], logger: logger) { address.set($0) }
            let services = ServiceGroup(services: node.services, logger: logger)
            group.addTask {
                defer { address.end() }
                try await services.run()
            }
            var reachable = settings
            reachable.publicURL = try await address.value()
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await show(try await self.story(reachable, provider: provider)))
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            await provided.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    /// The key-encryption key of the demo, kept in its folder.
    private func kek(in folder: URL) throws -> String {
        let path = folder.appendingPathComponent("kek").path
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(
                atPath: path, contents: Data(LocalKeyEncryptionKey.generate().utf8),
                attributes: [.posixPermissions: 0o600])
        }
        return path
    }

    // MARK: The story

    private func story(_ settings: Settings, provider: String) async throws -> DemoReport {
        let administration = Administration(settings)
        var customers: [Customer] = []
        for (name, connection) in [("acme", "1000000001"), ("globex", "1000000002")] {
            let tenant = try TenantID(name)
            _ = try await administration.createTenant(tenant, connectionID: connection)
            let source = try await administration.createSource(
                "\(name)-app", tenant: tenant, allowed: [], preset: "standard")
            let key = try await administration.createKey(tenant: tenant, scopes: [.usersRead, .loginTokensCreate])
            customers.append(
                Customer(tenant: tenant, hookURL: source.url, secret: Secret(source.secret), key: Secret(key.key)))
        }
        let http = HTTPClient()
        do {
            let report = try await self.signUp(customers, settings, http, provider: provider)
            try await http.shutdown()
            return report
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private func signUp(
        _ customers: [Customer], _ settings: Settings, _ http: HTTPClient, provider: String
    ) async throws -> DemoReport {
        let senders = try customers.map { try SignUpSender(url: $0.hookURL, secret: $0.secret, http: http) }
        var accepted: [UserKey: Date] = [:]
        self.progress("sending \(self.options.users) signed sign-ups")
        for start in stride(from: 0, to: self.options.users, by: 16) {
            try await withThrowingTaskGroup(of: (UserKey, Date).self) { group in
                for number in start..<min(start + 16, self.options.users) {
                    let place = number % customers.count
                    let user = UserKey(tenant: customers[place].tenant, user: try UserID("user-\(number + 1)"))
                    let sender = senders[place]
                    group.addTask {
                        let reply = try await sender.send(
                            type: "user.created", user: user, deliveryID: "msg_demo_\(number + 1)", at: Date())
                        guard reply.status == 202 else {
                            throw DemoError.refused(status: reply.status, body: reply.body)
                        }
                        return (user, Date())
                    }
                }
                for try await (user, at) in group { accepted[user] = at }
            }
        }
        let database = try await PostgresConnection.connect(PostgresConfiguration(url: settings.databaseURL.reveal()))
        try await self.waitUntilReady(database)
        var report = DemoReport(address: settings.publicURL ?? "", provider: provider, customers: customers)
        report.rows = try await self.rows(customers, settings, accepted: accepted, database)
        try await report.count(in: database, provider: provider, http)
        await database.close()
        if let first = report.rows.first, let customer = customers.first(where: { $0.tenant == first.user.tenant }) {
            report.token = try await self.handOff(first.user, customer, settings, http)
        }
        return report
    }

    private func waitUntilReady(_ database: PostgresConnection) async throws {
        var deadline = ContinuousClock.now + .seconds(60)
        var last = 0
        while true {
            let row = try await database.query("select count(*) from dialtone.users where status = 'ready'").first
            let ready = Int(try row?.decode(Int64.self) ?? Int64(0))
            self.progress("credentials: \(ready) of \(self.options.users)")
            if ready >= self.options.users { return }
            if ready > last { deadline = ContinuousClock.now + .seconds(60) }
            last = ready
            guard ContinuousClock.now < deadline else { throw DemoError.late(ready: ready) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func rows(
        _ customers: [Customer], _ settings: Settings, accepted: [UserKey: Date], _ database: PostgresConnection
    ) async throws -> [DemoReport.Row] {
        var rows: [DemoReport.Row] = []
        for customer in customers {
            for entry in try await Administration(settings).userEntries(of: customer.tenant, after: nil, limit: nil)
                .users
            {
                let user = UserKey(tenant: customer.tenant, user: try UserID(entry.userID))
                guard let at = accepted[user], let ready = entry.readyAt else { continue }
                rows.append(
                    DemoReport.Row(
                        user: user, tag: entry.tag ?? "", sipUsername: entry.sipUsername ?? "",
                        milliseconds: max(0, ready.timeIntervalSince(at) * 1000)))
            }
        }
        return rows
    }

    private func handOff(
        _ user: UserKey, _ customer: Customer, _ settings: Settings, _ http: HTTPClient
    ) async throws -> String {
        var request = HTTPClientRequest(url: "\(settings.publicURL ?? "")/v1/login-tokens")
        request.method = .POST
        request.headers = [
            "authorization": "Bearer \(customer.key.reveal())", "content-type": "application/json",
        ]
        request.body = .bytes(ByteBuffer(string: "{\"user_id\":\"\(user.user)\"}"))
        let response = try await http.execute(request, timeout: .seconds(30))
        let body = String(buffer: try await response.body.collect(upTo: 65_536))
        guard response.status == .ok else { throw DemoError.refused(status: Int(response.status.code), body: body) }
        return body
    }
}

package enum DemoError: Error, CustomStringConvertible {
    case refused(status: Int, body: String)
    case late(ready: Int)
    case incomplete
    case notStarted

    package var description: String {
        switch self {
        case .refused(let status, let body): "a request was answered \(status): \(body)"
        case .late(let ready): "only \(ready) users were ready, and no other for a minute"
        case .notStarted: "the service or the simulated provider ended before it was ready"
        case .incomplete: "credentials are missing or doubled"
        }
    }
}

/// A value that comes once, for the one who waits.
private struct Ready<Value: Sendable>: Sendable {
    private let values: AsyncStream<Value>
    private let source: AsyncStream<Value>.Continuation

    init() { (self.values, self.source) = AsyncStream.makeStream() }

    func set(_ value: Value) { self.source.yield(value) }

    /// It will not come.
    func end() { self.source.finish() }

    /// Throws when it does not come. Cancelled here: throws.
    func value() async throws -> Value {
        for await value in self.values { return value }
        throw DemoError.notStarted
    }
}
