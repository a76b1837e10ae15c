// SPDX-License-Identifier: Apache-2.0
// One thing that goes wrong in a round, while everything else is under way.

import AsyncHTTPClient
import Composition
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import PrivatePostgres

/// The trouble of one round. Besides it the provider lies in most rounds (`ProviderFault`).
enum Trouble: CaseIterable {
    case killWorker, killAPI, killSimulator, stopWorker, stopSimulator, terminateBackends, crashServer, failOver,
        provider, vanish
    case loseBytes, loseAnswers, holdBytes, refuseConnections

    /// Makes some trouble. Returns a description for the reader of the log, and the number of credentials that
    /// vanished. Trouble that must be undone is undone by itself, later.
    static func make(
        _ deployment: Deployment, _ cluster: inout Cluster, using dice: inout some RandomNumberGenerator
    ) async throws -> (what: String, vanished: Int) {
        let trouble = Self.allCases.randomElement(using: &dice) ?? .provider
        if trouble == .vanish, let id = try? await Self.vanish(deployment, using: &dice) {
            return ("the provider has lost \(id)", 1)
        }
        return (try await Self.make(trouble, deployment, &cluster, using: &dice), 0)
    }

    private static func make(
        _ trouble: Trouble, _ deployment: Deployment, _ cluster: inout Cluster,
        using dice: inout some RandomNumberGenerator
    ) async throws -> String {
        let rule = await Self.letProviderLie(deployment, using: &dice)
        let which = Int.random(in: 0..<2, using: &dice)
        switch trouble {
        case .killWorker:
            deployment.processes.signal("worker-\(which)", SIGKILL)
            return "worker-\(which) killed, \(rule)"
        case .killAPI:
            deployment.processes.signal("api-\(which)", SIGKILL)
            return "api-\(which) killed, \(rule)"
        case .killSimulator:
            deployment.processes.signal("simulator", SIGKILL)
            return "the simulator killed"
        case .stopWorker:
            Self.stop("worker-\(which)", for: .seconds(10), deployment)
            return "worker-\(which) stopped for longer than its lease, \(rule)"
        case .stopSimulator:
            Self.stop("simulator", for: .seconds(4), deployment)
            return "the provider stopped"
        case .loseBytes: return "\(Self.spoil(.swallowsAll, for: .seconds(4), deployment, using: &dice)), \(rule)"
        case .loseAnswers: return "\(Self.spoil(.swallowsAnswers, for: .seconds(6), deployment, using: &dice)), \(rule)"
        case .holdBytes: return "\(Self.holdBytes(deployment, using: &dice)), \(rule)"
        case .refuseConnections: return "\(Self.spoil(.refuses, for: .seconds(3), deployment, using: &dice)), \(rule)"
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

    // MARK: The provider

    /// Gives the simulator the faults of a round. Returns their description.
    private static func letProviderLie(
        _ deployment: Deployment, using dice: inout some RandomNumberGenerator
    ) async -> String {
        let rules = ProviderFault.roll(using: &dice)
        try? await deployment.setFaults(rules)
        return rules.map(\.description).joined(separator: " + ")
    }

    private struct Held: Decodable {
        struct One: Decodable { var id: String }
        var data: [One]
    }

    /// Deletes a credential behind Dialtone's back. Returns its id.
    private static func vanish(
        _ deployment: Deployment, using dice: inout some RandomNumberGenerator
    ) async throws -> String? {
        let held = try await deployment.ask("/control/credentials", for: Held.self).data
        guard let id = held.randomElement(using: &dice)?.id else { return nil }
        var request = HTTPClientRequest(url: deployment.provider + "/v2/telephony_credentials/\(id)")
        request.method = .DELETE
        request.headers = ["authorization": "Bearer chaos"]
        let answer = try await deployment.http.execute(request, timeout: .seconds(2))
        return answer.status == .ok ? id : nil
    }

    // MARK: The end

    /// Ends all trouble: every process goes on, every network is open, and the provider has no faults.
    static func end(_ deployment: Deployment) async throws {
        for name in deployment.processes.names { deployment.processes.signal(name, SIGCONT) }
        for relay in deployment.relays { relay.turn(.open) }
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await deployment.setFaults([])
            } catch {
                guard ContinuousClock.now < deadline else { throw ChaosError.notReady("the simulator") }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    // MARK: Networks, processes and sessions

    /// Holds bytes back for a while. Some of them arrive when the quiet time is over.
    private static func holdBytes(
        _ deployment: Deployment, using dice: inout some RandomNumberGenerator
    ) -> String {
        let wait = Duration.seconds(Int.random(in: 3...20, using: &dice))
        return Self.spoil(.holds, for: wait, deployment, using: &dice)
    }

    /// Spoils the network of one worker, or of both, for a while.
    private static func spoil(
        _ mode: Relay.Mode, for time: Duration, _ deployment: Deployment, using dice: inout some RandomNumberGenerator
    ) -> String {
        let all = deployment.relays
        let relays = Bool.random(using: &dice) ? all : [all.randomElement(using: &dice)].compactMap { $0 }
        for relay in relays { relay.turn(mode, for: time) }
        return "the network of \(relays.count) workers \(mode.rawValue) for \(time.components.seconds) s"
    }

    /// Stops a process for a while, as SIGSTOP does.
    private static func stop(_ name: String, for time: Duration, _ deployment: Deployment) {
        deployment.processes.signal(name, SIGSTOP)
        // Unstructured, because it ends by itself while the rounds go on.
        Task {
            try await Task.sleep(for: time)
            deployment.processes.signal(name, SIGCONT)
        }
    }

    /// Ends about half of the sessions on the primary.
    private static func terminate(_ cluster: Cluster) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: cluster.primary.url()))
        _ = try await connection.query(
            """
            select pg_terminate_backend(pid)::text from pg_stat_activity
            where datname = 'dialtone' and pid <> pg_backend_pid() and random() < 0.5
            """)
        await connection.close()
    }
}
