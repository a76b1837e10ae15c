// SPDX-License-Identifier: Apache-2.0
// A process that is killed, or that stands still for a while.

import Foundation

enum ProcessTrouble: String, CaseIterable {
    case killWorker, killAPI, killSimulator, killPooler, stopWorker, stopSimulator

    /// Whether this trouble is possible here. Some machines have no pooler.
    func isPossible(in deployment: Deployment) -> Bool { self != .killPooler || deployment.pooled != nil }

    /// The simulator forgets its faults when it is killed, and shows none while it stands still.
    var silencesProvider: Bool { self == .killSimulator || self == .stopSimulator }

    /// Makes the trouble. Returns its description.
    func make(_ deployment: Deployment, using dice: inout some RandomNumberGenerator) -> String {
        let which = Int.random(in: 0..<2, using: &dice)
        switch self {
        case .killWorker:
            deployment.processes.signal("worker-\(which)", SIGKILL)
            return "worker-\(which) killed"
        case .killAPI:
            deployment.processes.signal("api-\(which)", SIGKILL)
            return "api-\(which) killed"
        case .killSimulator:
            deployment.processes.signal("simulator", SIGKILL)
            return "the simulator killed"
        case .killPooler:
            deployment.processes.signal("pooler", SIGKILL)
            return "the pooler killed"
        case .stopWorker:
            Self.stop("worker-\(which)", for: .seconds(10), deployment)
            return "worker-\(which) stopped for longer than its lease"
        case .stopSimulator:
            Self.stop("simulator", for: .seconds(4), deployment)
            return "the provider stopped"
        }
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
}
