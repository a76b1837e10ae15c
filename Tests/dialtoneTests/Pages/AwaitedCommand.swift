// SPDX-License-Identifier: Apache-2.0
// Commands that pages name and a program may not have yet. As soon as it has them, their lines are run and checked.

import Foundation

struct AwaitedCommand {
    /// What a line has, and the command whose help has the mark when it is there.
    let words: String
    let path: [String]
    let mark: String

    static let all = [
        AwaitedCommand(words: "dialtone event ", path: [], mark: "\n  event "),
        AwaitedCommand(words: "dialtone send --preset", path: ["send"], mark: "--preset"),
    ]

    var isHere: Bool {
        get async throws { try await Program.run(self.path + ["--help"]).output.contains(self.mark) }
    }
}
