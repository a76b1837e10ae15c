// SPDX-License-Identifier: Apache-2.0
// One running Dialtone for a test: a database, a simulated provider, a tenant with a source and a key.

import AsyncHTTPClient
import Composition
import Foundation
import Logging
import Model
import NIOCore
import NIOHTTP1
import Postgres
import ServiceLifecycle
import TelnyxSimulator
import TestSupport
import Testing

struct Story {
    let database: TestDatabase
    let address: String
    let providerURL: String
    let hookURL: String
    let secret: String
    let key: String
    let http: HTTPClient
    /// What a second node needs to join.
    let settings: Settings

    struct Reply {
        let status: Int
        let body: String
    }

    var hookPath: String { String(self.hookURL.dropFirst(self.address.count)) }

    /// Runs everything; `settings` are beside or instead of the usual ones.
    static func with(_ settings: [String: String] = [:], _ work: (Story) async throws -> Void) async throws {
        let chosen = settings
        try await TestDatabase.with { database in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let (ports, port) = AsyncStream<Int>.makeStream()
            let (addresses, address) = AsyncStream<String>.makeStream()
            var simulated = TelnyxSimulator.Configuration()
            simulated.apiKeys = ["test-key"]
            let simulator = try TelnyxSimulator(configuration: simulated, logger: logger) { port.yield($0) }
            let provider = ServiceGroup(services: [simulator], logger: logger)
            let kek = FileManager.default.temporaryDirectory.appendingPathComponent("kek-\(UUID().uuidString)").path
            try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: kek) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await provider.run() }
                let providerPort = try #require(await ports.first { _ in true })
                let url = "http://127.0.0.1:\(providerPort)"
                var settings = try await Settings.read(
                    flags: [
                        "DATABASE_URL": database.url, "DIALTONE_KEK": "file:\(kek)", "TELNYX_API_KEY": "test-key",
                        "TELNYX_BASE_URL": "\(url)/v2", "DIALTONE_LISTEN": "127.0.0.1:0",
                    ].merging(chosen) { $1 })
                let node = try await Node(settings, roles: [.api, .worker], logger: logger) { address.yield($0) }
                let services = ServiceGroup(services: node.services, logger: logger)
                group.addTask { try await services.run() }
                settings.publicURL = await addresses.first { _ in true }
                let story = try await Self.make(settings, database, url)
                let outcome: Result<Void, any Error>
                do {
                    outcome = .success(try await work(story))
                } catch {
                    outcome = .failure(error)
                }
                try await story.http.shutdown()
                await services.triggerGracefulShutdown()
                await provider.triggerGracefulShutdown()
                try await group.waitForAll()
                try outcome.get()
            }
        }
    }

    private static func make(_ settings: Settings, _ database: TestDatabase, _ provider: String) async throws -> Story {
        let administration = Administration(settings)
        let tenant = try TenantID("acme")
        _ = try await administration.createTenant(tenant, connectionID: "1000000001")
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        let key = try await administration.createKey(tenant: tenant, scopes: Scope.allCases)
        return Story(
            database: database, address: settings.publicURL ?? "", providerURL: provider, hookURL: source.url,
            secret: source.secret, key: key.key, http: HTTPClient(), settings: settings)
    }

    /// Runs a second node on the same database and provider, and lends its address.
    func withSecondNode(_ work: (String) async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (addresses, address) = AsyncStream<String>.makeStream()
        let node = try await Node(self.settings, roles: [.api, .worker], logger: logger) { address.yield($0) }
        let services = ServiceGroup(services: node.services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(try #require(await addresses.first { _ in true })))
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    /// `node`: another node's address.
    func send(
        _ type: String, _ user: String, delivery: String, to node: String? = nil, at time: Date = Date()
    ) async throws -> Reply {
        let url = (node ?? self.address) + self.hookPath
        let sender = try SignUpSender(url: url, secret: Secret(self.secret), http: self.http)
        let key = UserKey(tenant: try TenantID("acme"), user: try UserID(user))
        let reply = try await sender.send(type: type, user: key, deliveryID: delivery, at: Date(), occurredAt: time)
        return Reply(status: reply.status, body: reply.body)
    }

    func post(_ path: String, _ body: String, prefer: String? = nil) async throws -> Reply {
        var headers: HTTPHeaders = ["authorization": "Bearer \(self.key)", "content-type": "application/json"]
        if let prefer { headers.add(name: "prefer", value: prefer) }
        return try await self.raw(.POST, path, body, headers)
    }

    func raw(
        _ method: HTTPMethod, _ path: String, _ body: String, _ headers: HTTPHeaders = [:], url: String? = nil
    ) async throws -> Reply {
        try await self.request(method, url ?? self.address + path, body, headers)
    }

    /// Makes a credential at the provider, behind Dialtone's back.
    func make(name: String, tag: String) async throws {
        let reply = try await self.request(
            .POST, self.providerURL + "/v2/telephony_credentials",
            "{\"connection_id\":\"1000000001\",\"name\":\"\(name)\",\"tag\":\"\(tag)\"}",
            ["authorization": "Bearer test-key", "content-type": "application/json"])
        try #require(reply.status == 201)
    }

    /// `dialtone sweep`; `toTheEnd` false leaves the second look and the deletes to others.
    func sweep(
        toTheEnd: Bool = true, at provider: String? = nil, _ change: (inout SweepOptions) -> Void = { _ in }
    ) async throws -> SweepReport {
        var options = SweepOptions()
        options.isThorough = toTheEnd
        change(&options)
        var settings = self.settings
        if let provider { settings.telnyxBaseURL = provider + "/v2" }
        return try await Administration(settings).sweep(options)
    }

    /// An account of somebody else, with nothing in it.
    static func withOtherProvider(_ work: (String) async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (ports, port) = AsyncStream<Int>.makeStream()
        let simulator = try TelnyxSimulator(configuration: .init(), logger: logger) { port.yield($0) }
        let provider = ServiceGroup(services: [simulator], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await provider.run() }
            let number = try #require(await ports.first { _ in true })
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work("http://127.0.0.1:\(number)"))
            } catch {
                outcome = .failure(error)
            }
            await provider.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    func provider(_ path: String) async throws -> String {
        try await self.request(.GET, self.providerURL + path, "").body
    }

    /// `more`: further members of the rule, such as `"status":408`; `other`: another rule.
    func fault(_ kind: String, times: Int, _ more: String = "", and other: String? = nil) async throws {
        let members =
            "\"operation\":\"create\",\"kind\":\"\(kind)\",\"times\":\(times)\(more.isEmpty ? "" : ",")\(more)"
        let rule = "{\"rules\":[{\(members)}\(other.map { ",\($0)" } ?? "")]}"
        _ = try await self.request(.PUT, self.providerURL + "/control/faults", rule)
    }

    /// Until the statement answers a row; else tells what is left to do.
    func until(_ statement: SQL) async throws {
        do {
            try await self.database.until(statement)
        } catch let error as TestDatabase.NeverCame {
            Issue.record("\(error); jobs: \(try await self.openJobs())")
            throw CancellationError()
        }
    }

    /// What the jobs that are left last went through, for a failure's message.
    private func openJobs() async throws -> [String] {
        let tags = try await self.database.admin.query(
            "select concat_ws(' ', tag, held, opened, room) from dialtone.tenant_tags order by tenant_id, shard desc limit 9"
        ).map { try $0.decode(String.self) }
        return tags
            + (try await self.database.admin.query(
                """
                select concat_ws(' ', j.user_id, j.state, 'epoch', j.epoch, 'due in', j.run_at - now(), 'settled in',
                                 j.quiet_until - now(), '|', string_agg(concat_ws(' ', l.from_state, l.to_state, l.http_status,
                                 l.error_code, l.at::time), ', ' order by l.at))
                from dialtone.jobs j left join dialtone.job_log l using (tenant_id, user_id)
                group by j.id
                """
            ).map { String(try $0.decode(String.self).prefix(2000)) })
    }

    private func request(
        _ method: HTTPMethod, _ url: String, _ body: String, _ headers: HTTPHeaders = [:]
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let answer = try await self.http.execute(request, timeout: .seconds(40))
        return Reply(
            status: Int(answer.status.code), body: String(buffer: try await answer.body.collect(upTo: 1 << 22)))
    }
}

/// The official packages, in the Python that `make test` sets up.
enum Python {
    static func run(_ script: String, _ arguments: [String]) async throws {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let root = here.deletingLastPathComponent().deletingLastPathComponent()
        let python = ProcessInfo.processInfo.environment["DIALTONE_PYTHON"] ?? root.path + "/.venv/bin/python"
        try #require(FileManager.default.isExecutableFile(atPath: python), "run `make test`, which sets up \(python)")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [here.appendingPathComponent("Conformance/\(script)").path] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(status == 0, "\(text)")
    }
}
