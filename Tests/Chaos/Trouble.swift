// SPDX-License-Identifier: Apache-2.0
// What goes wrong in a round: one thing at a time, while everything else is under way.

import AsyncHTTPClient
import Composition
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import PrivatePostgres

enum Trouble: CaseIterable {
    case killWorker, killAPI, killSimulator, stopWorker, stopSimulator, terminateBackends, crashServer, failOver,
        provider, vanish
    case loseBytes, loseAnswers, holdBytes, refuseConnections

    /// Makes some; answers what, for the reader of the log, and how many credentials it has made vanish. What must be
    /// undone is undone by itself, later.
    static func make(
        _ town: Town, _ cluster: inout Cluster, using dice: inout some RandomNumberGenerator
    ) async throws -> (what: String, vanished: Int) {
        let trouble = Self.allCases.randomElement(using: &dice) ?? .provider
        if trouble == .vanish, let id = try? await Self.vanish(town, using: &dice) {
            return ("the provider has lost \(id)", 1)
        }
        return (try await Self.make(trouble, town, &cluster, using: &dice), 0)
    }

    private static func make(
        _ trouble: Trouble, _ town: Town, _ cluster: inout Cluster, using dice: inout some RandomNumberGenerator
    ) async throws -> String {
        // The provider lies in most rounds, whatever else happens.
        let rules = ProviderFault.roll(using: &dice)
        let rule = rules.map(\.description).joined(separator: " + ")
        try? await Self.setFaults(rules, town)
        let which = Int.random(in: 0..<2, using: &dice)
        switch trouble {
        case .killWorker:
            town.processes.signal("worker-\(which)", SIGKILL)
            return "worker-\(which) killed, \(rule)"
        case .killAPI:
            town.processes.signal("api-\(which)", SIGKILL)
            return "api-\(which) killed, \(rule)"
        case .killSimulator:
            town.processes.signal("simulator", SIGKILL)
            return "the simulator killed"
        case .stopWorker:
            Self.stop("worker-\(which)", for: .seconds(10), town)
            return "worker-\(which) stopped for longer than its lease, \(rule)"
        case .stopSimulator:
            Self.stop("simulator", for: .seconds(4), town)
            return "the provider stopped"
        case .loseBytes: return "\(Self.spoil(.swallowsAll, for: .seconds(4), town, using: &dice)), \(rule)"
        case .loseAnswers: return "\(Self.spoil(.swallowsAnswers, for: .seconds(6), town, using: &dice)), \(rule)"
        case .holdBytes:
            // Some arrive when the quiet time is over.
            let wait = Duration.seconds(Int.random(in: 3...20, using: &dice))
            return "\(Self.spoil(.holds, for: wait, town, using: &dice)), \(rule)"
        case .refuseConnections:
            return "\(Self.spoil(.refuses, for: .seconds(3), town, using: &dice)), \(rule)"
        case .terminateBackends:
            try? await Self.terminate(cluster)
            return "backends terminated, \(rule)"
        case .crashServer:
            try await cluster.crash()
            return "PostgreSQL crashed and restarted, \(rule)"
        case .failOver:
            try await cluster.failOver()
            return "the standby promoted, \(rule)"
        case .provider, .vanish: return "the provider: \(rule)"
        }
    }

    private struct Held: Decodable {
        struct One: Decodable { var id: String }
        var data: [One]
    }

    /// Deletes a credential behind Dialtone's back; answers its id.
    private static func vanish(_ town: Town, using dice: inout some RandomNumberGenerator) async throws -> String? {
        let held = try await town.ask("/control/credentials", for: Held.self).data
        guard let id = held.randomElement(using: &dice)?.id else { return nil }
        var request = HTTPClientRequest(url: town.provider + "/v2/telephony_credentials/\(id)")
        request.method = .DELETE
        request.headers = ["authorization": "Bearer chaos"]
        let answer = try await town.http.execute(request, timeout: .seconds(2))
        return answer.status == .ok ? id : nil
    }

    /// All is well again.
    static func end(_ town: Town) async throws {
        for name in town.processes.names { town.processes.signal(name, SIGCONT) }
        for relay in town.relays { relay.turn(.open) }
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await Self.setFaults([], town)
            } catch {
                guard ContinuousClock.now < deadline else { throw ChaosError.notReady("the simulator") }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// The network of one worker, or of both.
    private static func spoil(
        _ mode: Relay.Mode, for time: Duration, _ town: Town, using dice: inout some RandomNumberGenerator
    ) -> String {
        let relays =
            Bool.random(using: &dice) ? town.relays : [town.relays.randomElement(using: &dice)].compactMap { $0 }
        for relay in relays { relay.turn(mode, for: time) }
        return "the network of \(relays.count) workers \(mode.rawValue) for \(time.components.seconds) s"
    }

    private static func stop(_ name: String, for time: Duration, _ town: Town) {
        town.processes.signal(name, SIGSTOP)
        // Unstructured, because it ends by itself while the rounds go on.
        Task {
            try await Task.sleep(for: time)
            town.processes.signal(name, SIGCONT)
        }
    }

    private static func terminate(_ cluster: Cluster) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: cluster.primary.url()))
        _ = try await connection.query(
            """
            select pg_terminate_backend(pid)::text from pg_stat_activity
            where datname = 'dialtone' and pid <> pg_backend_pid() and random() < 0.5
            """)
        await connection.close()
    }

    private static func setFaults(_ rules: [ProviderFault], _ town: Town) async throws {
        var request = HTTPClientRequest(url: town.provider + "/control/faults")
        request.method = .PUT
        request.body = .bytes(try JSONEncoder().encode(["rules": rules]))
        let answer = try await town.http.execute(request, timeout: .seconds(2))
        guard answer.status == .ok else { throw ChaosError.notReady("the simulator") }
    }
}
