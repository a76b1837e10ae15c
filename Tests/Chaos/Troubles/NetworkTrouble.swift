// SPDX-License-Identifier: Apache-2.0
// A network between a worker and the provider that loses, holds or refuses bytes for a while.

enum NetworkTrouble: String, CaseIterable {
    case loseBytes, loseAnswers, holdBytes, refuseConnections

    /// Makes the trouble. Returns its description.
    func make(_ deployment: Deployment, using dice: inout some RandomNumberGenerator) -> String {
        switch self {
        case .loseBytes: return Self.spoil(.swallowsAll, for: 4, deployment, using: &dice)
        case .loseAnswers: return Self.spoil(.swallowsAnswers, for: 6, deployment, using: &dice)
        case .holdBytes:
            // Some of the bytes arrive when the quiet time is over.
            let seconds = Int.random(in: 3...20, using: &dice)
            return Self.spoil(.holds, for: seconds, deployment, using: &dice)
        case .refuseConnections: return Self.spoil(.refuses, for: 3, deployment, using: &dice)
        }
    }

    /// Spoils the network of one worker, or of both, for some seconds.
    private static func spoil(
        _ mode: Relay.Mode, for seconds: Int, _ deployment: Deployment, using dice: inout some RandomNumberGenerator
    ) -> String {
        let all = deployment.relays
        let relays = Bool.random(using: &dice) ? all : [all.randomElement(using: &dice)].compactMap { $0 }
        for relay in relays { relay.turn(mode, for: .seconds(seconds)) }
        return "the network of \(relays.count) workers \(mode.rawValue) for \(seconds) s"
    }
}
