// SPDX-License-Identifier: Apache-2.0
// `dialtone user show`: one user, and its life as one line of time.

import ArgumentParser
import Composition
import Model

struct UserShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows one user, and every step of its life, the oldest first.")

    @OptionGroup var asked: AskedOfUser

    private struct Output: Encodable {
        var user: UserLine
        var timeline: [TimelineLine]
    }

    func run() async throws {
        let (user, steps) = try await self.asked.ask { questions, key in
            guard let user = try await questions.user(key) else {
                throw UnknownUser(user: key, why: try? await questions.why(key))
            }
            var steps: [TimelineLine] = []
            var next: String?
            repeat {
                guard let page = try await questions.timeline(key, after: next, limit: 200) else { break }
                steps += page.data.map(TimelineLine.init)
                next = page.next
            } while next != nil
            return (UserLine(user), steps)
        }
        if self.asked.json { return try Terminal.show(json: Output(user: user, timeline: steps)) }
        Terminal.show(user.summary + "\n")
        try Terminal.show(steps, json: false)
    }
}
