// SPDX-License-Identifier: Apache-2.0
// The trouble that the rounds of a run have made, counted by kind.

struct MadeTrouble {
    let rounds: Int
    /// Rounds by the name of their trouble. A trouble that was possible and never came has a zero.
    private(set) var counts: [String: Int]
    /// Credentials that were deleted at the provider behind Dialtone's back.
    private(set) var vanished = 0

    init(rounds: Int, names: [String]) {
        self.rounds = rounds
        self.counts = Dictionary(uniqueKeysWithValues: names.map { ($0, 0) })
    }

    mutating func add(_ trouble: Trouble, vanished: Int) {
        self.counts[trouble.name, default: 0] += 1
        self.vanished += vanished
    }
}
