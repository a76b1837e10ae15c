// SPDX-License-Identifier: Apache-2.0
// One thing that goes wrong in a round, while everything else is under way.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The trouble of one round. Besides it the provider lies in most rounds (`ProviderFault`).
enum Trouble {
    case process(ProcessTrouble)
    case network(NetworkTrouble)
    case database(DatabaseTrouble)
    /// Only the provider lies.
    case provider
    /// The provider loses a credential.
    case vanish

    static func all(in deployment: Deployment) -> [Trouble] {
        var all: [Trouble] = [.provider, .vanish]
        for trouble in ProcessTrouble.allCases where trouble.isPossible(in: deployment) {
            all.append(.process(trouble))
        }
        for trouble in NetworkTrouble.allCases { all.append(.network(trouble)) }
        for trouble in DatabaseTrouble.allCases { all.append(.database(trouble)) }
        return all
    }

    /// The name under which the verdict counts it.
    var name: String {
        switch self {
        case .process(let trouble): trouble.rawValue
        case .network(let trouble): trouble.rawValue
        case .database(let trouble): trouble.rawValue
        case .provider: "provider"
        case .vanish: "vanish"
        }
    }

    /// Makes the trouble. Returns a description for the reader of the log, and the number of credentials that vanished.
    /// Trouble that must be undone is undone by itself, later.
    func make(
        _ deployment: Deployment, _ cluster: inout Cluster, using dice: inout some RandomNumberGenerator
    ) async throws -> (what: String, vanished: Int) {
        if case .vanish = self, let id = try? await Self.vanish(deployment, using: &dice) {
            return ("the provider has lost \(id)", 1)
        }
        let rule = await Self.letProviderLie(deployment, using: &dice)
        let what: String
        switch self {
        case .process(let trouble):
            what = trouble.make(deployment, using: &dice)
            if trouble.silencesProvider { return (what, 0) }
        case .network(let trouble): what = trouble.make(deployment, using: &dice)
        case .database(let trouble): what = try await trouble.make(deployment, &cluster, using: &dice)
        case .provider, .vanish: return ("the provider: \(rule)", 0)
        }
        return ("\(what), \(rule)", 0)
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
        for relay in deployment.relays + deployment.databaseRelays { relay.turn(.open) }
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
}
