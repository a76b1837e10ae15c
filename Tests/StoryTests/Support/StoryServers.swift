// SPDX-License-Identifier: Apache-2.0
// The servers of a test: a simulated provider, nodes and an HTTP client, each gone when its work is done.

import AsyncHTTPClient
import Composition
import Foundation
import Intake
import Logging
import ServiceLifecycle
import TelnyxSimulator
import Testing

extension Story {
    /// Settings with which a test can wait for doubt to end: an empty look counts 3 s after a doubtful create.
    static let quick = [
        "DIALTONE_HTTP_DEADLINE": "2s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "8s",
    ]

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs an empty provider account and lends its URL. `apiKeys`: the keys it accepts; any, when empty.
    static func withSimulator(apiKeys: Set<String> = [], _ work: (String) async throws -> Void) async throws {
        let (ports, port) = AsyncStream<Int>.makeStream()
        var configuration = TelnyxSimulator.Configuration()
        configuration.apiKeys = apiKeys
        let simulator = try TelnyxSimulator(configuration: configuration, logger: Self.quiet) { port.yield($0) }
        try await Self.run(ServiceGroup(services: [simulator], logger: Self.quiet)) {
            let number = try #require(await ports.first { _ in true })
            try await work("http://127.0.0.1:\(number)")
        }
    }

    /// Runs an API and a worker and lends their address. `clock` is the time at which senders' signatures are judged;
    /// nil: now.
    static func withNode(
        _ settings: Settings, logger: Logger = Self.quiet, clock: Date? = nil, fetchKeys: JWKSCache.Fetch? = nil,
        comparesTenants: Bool = true, _ work: (String) async throws -> Void
    ) async throws {
        let (addresses, address) = AsyncStream<String>.makeStream()
        let node = try await Node(
            settings, roles: [.api, .worker], logger: logger, clock: { clock ?? Date() }, fetchKeys: fetchKeys,
            comparesTenants: comparesTenants
        ) { address.yield($0) }
        try await Self.run(ServiceGroup(services: node.services, logger: Self.quiet)) {
            let first = try #require(await addresses.first { _ in true })
            try await work(first)
        }
    }

    /// Runs a second node on the same database and provider, and lends its address.
    func withSecondNode(_ work: (String) async throws -> Void) async throws {
        try await Self.withNode(self.settings, work)
    }

    static func withHTTPClient(_ work: (HTTPClient) async throws -> Void) async throws {
        let http = HTTPClient()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(http))
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
        try outcome.get()
    }

    /// Runs the services as long as `work`, and returns when all have ended.
    private static func run(_ services: ServiceGroup, _ work: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work())
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }
}
