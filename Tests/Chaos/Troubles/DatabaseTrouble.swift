// SPDX-License-Identifier: Apache-2.0
// A database that crashes, changes its primary, takes no writes, is not to be reached, or is read for long.

import Foundation

enum DatabaseTrouble: String, CaseIterable {
    case terminateBackends, crashServer, failOver, switchOver, readOnly, blackHole, longReader

    /// Makes the trouble. Returns its description.
    func make(
        _ deployment: Deployment, _ cluster: inout Cluster, using dice: inout some RandomNumberGenerator
    ) async throws -> String {
        switch self {
        case .terminateBackends:
            try? await cluster.endSessions(share: 0.5)
            return "backends terminated"
        case .crashServer:
            try await cluster.crash()
            return "PostgreSQL crashed and restarted"
        case .failOver:
            try await cluster.failOver()
            return "the standby promoted"
        case .switchOver:
            let isLate = Bool.random(using: &dice)
            try await cluster.switchOver(linkIsLate: isLate)
            return "the standby promoted, the old primary back as its standby\(isLate ? ", the link late" : "")"
        case .readOnly:
            let spell = Cluster.ReadOnlySpell.allCases.randomElement(using: &dice) ?? .newSessions
            let seconds = Int.random(in: 2...5, using: &dice)
            try await cluster.refuseWrites(spell, for: .seconds(seconds))
            return "\(spell.rawValue) read-only, in a spell of \(seconds) s"
        case .blackHole: return Self.losePrimary(deployment, cluster, using: &dice)
        case .longReader: return await Self.read(deployment, cluster, using: &dice)
        }
    }

    /// Makes the primary a black hole to one process, or to all, while the round goes on.
    private static func losePrimary(
        _ deployment: Deployment, _ cluster: Cluster, using dice: inout some RandomNumberGenerator
    ) -> String {
        let all = deployment.networks
        let networks = Bool.random(using: &dice) ? all : [all.randomElement(using: &dice)].compactMap { $0 }
        let seconds = Int.random(in: 3...10, using: &dice)
        let isCut = Bool.random(using: &dice)
        for network in networks {
            network.lose(cluster.primaryPlace, for: .seconds(seconds), thenCut: isCut)
        }
        let who = networks.count == 1 ? networks[0].process : "all"
        return "the primary a black hole to \(who) for \(seconds) s, then \(isCut ? "cut" : "healed")"
    }

    /// Opens a reader that outlives the round, and kills a worker: a worker looks after the log when it starts.
    private static func read(
        _ deployment: Deployment, _ cluster: Cluster, using dice: inout some RandomNumberGenerator
    ) async -> String {
        let seconds = Int.random(in: 15...30, using: &dice)
        guard (try? await deployment.readers.open(at: cluster.primaryURL, for: .seconds(seconds))) != nil else {
            return "no reader of the log, because the server was away"
        }
        let which = Int.random(in: 0..<2, using: &dice)
        deployment.processes.signal("worker-\(which)", SIGKILL)
        return "the log read for \(seconds) s, worker-\(which) killed"
    }
}
