// SPDX-License-Identifier: Apache-2.0
// A help text reads well on a terminal of 80 columns: no example breaks, and no paragraph has a stub of a line.

import Foundation
import Testing

@Suite struct HelpTextTests {
    private static let width = 80

    @Test(arguments: [
        "", "demo", "serve", "migrate", "tenant create", "source create", "source rotate", "source map add",
        "source check", "key create", "why", "find", "summary", "tail", "job", "login", "open", "completion",
        "user wait",
        "user verify", "user list", "user show", "user rotate", "user revoke", "user erase", "limit",
        "limit set", "sweep", "sweep status", "installation confirm", "send", "simulator", "check",
    ])
    func `no example of a help breaks, and its paragraphs are whole`(command: String) async throws {
        let ended = try await Program.run(command.split(separator: " ").map(String.init) + ["--help"])
        let lines = ended.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let text = lines.prefix { !$0.hasPrefix("USAGE:") }
        #expect(!text.isEmpty && text.count < lines.count)
        for (line, next) in zip(text, text.dropFirst()) where !line.isEmpty && !next.isEmpty {
            let isExample = line.hasPrefix("  ")
            #expect(isExample == next.hasPrefix("  "), "an example goes on at the margin: \(next)")
            let word = next.prefix { $0 != " " }
            // The parser breaks a line before its last column.
            let isFull = line.count + 1 + word.count >= Self.width
            #expect(isExample || isFull, "a line ends early, before: \(next)")
        }
        for line in text { #expect(line.count <= Self.width, "\(line)") }
    }
}
