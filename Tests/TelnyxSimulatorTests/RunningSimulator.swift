// SPDX-License-Identifier: Apache-2.0
// This runs a simulator on a free port and lends an HTTP client for it.

import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TelnyxSimulator
import Testing

/// A running simulator and an HTTP client for it.
struct RunningSimulator {
    struct Reply {
        let status: Int
        let headers: HTTPHeaders
        let body: String

        /// Returns the first value of a member of that name. This suffices for flat objects of strings.
        func text(_ member: String) -> String? {
            self.body.split(separator: "\"\(member)\":\"", maxSplits: 1).dropFirst().first
                .map { String($0.prefix { $0 != "\"" }) }
        }
    }

    let url: String
    let http: HTTPClient

    static let path = "/v2/telephony_credentials"

    /// Runs a simulator while `work` runs.
    static func with(
        _ configuration: TelnyxSimulator.Configuration = .init(), _ work: (RunningSimulator) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (ports, port) = AsyncStream<Int>.makeStream()
        let simulator = try TelnyxSimulator(configuration: configuration, logger: logger) { port.yield($0) }
        let services = ServiceGroup(services: [simulator], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let number = try #require(await ports.first { _ in true })
            let provider = RunningSimulator(url: "http://127.0.0.1:\(number)", http: HTTPClient())
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(provider))
            } catch {
                outcome = .failure(error)
            }
            try await provider.http.shutdown()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    /// Sends a request. Without a key it has no authorization header.
    func ask(_ method: HTTPMethod, _ path: String, _ body: String = "", key: String? = "any") async throws -> Reply {
        var request = HTTPClientRequest(url: self.url + path)
        request.method = method
        if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await self.http.execute(request, timeout: .seconds(20))
        return Reply(
            status: Int(response.status.code), headers: response.headers,
            body: String(buffer: try await response.body.collect(upTo: 1 << 22)))
    }

    func create(_ name: String, tag: String = "t", expires: String? = nil) async throws -> Reply {
        let expiry = expires.map { ",\"expires_at\":\"\($0)\"" } ?? ""
        return try await self.ask(
            .POST, Self.path, "{\"connection_id\":\"1\",\"name\":\"\(name)\",\"tag\":\"\(tag)\"\(expiry)}")
    }

    func list(_ query: String) async throws -> Reply { try await self.ask(.GET, "\(Self.path)?\(query)") }

    /// Puts one rule in force in place of all others. `rule` is the members of its JSON object.
    func fault(_ rule: String) async throws {
        let reply = try await self.ask(.PUT, "/control/faults", "{\"rules\":[{\(rule)}]}")
        #expect(reply.status == 200)
    }

    /// Returns the counts of creates and deletes by name. The counts before them do not survive a restart.
    func names() async throws -> String {
        let counts = try await self.ask(.GET, "/control/counts").body
        return counts.range(of: "\"names\"").map { String(counts[$0.lowerBound...]) } ?? counts
    }

    func counts(_ name: String) async throws -> String { try await self.ask(.GET, "/control/counts?name=\(name)").body }
}
