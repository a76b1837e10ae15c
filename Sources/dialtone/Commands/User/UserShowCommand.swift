// SPDX-License-Identifier: Apache-2.0
// `dialtone user show`: one user, and its life as one line of time.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct UserShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows one user, and every step of its life, the oldest first.")

    @OptionGroup var asked: AskedOfUser

    private struct Life: Encodable, Sendable {
        var user: UserLine
        var timeline: [TimelineLine]
        /// Since when every step of a job is kept.
        @OrNull var log_from: Date?
        /// Numbers that outlive the log.
        @OrNull var history: Proof.History?
    }

    func run() async throws {
        let (life, begin) = try await self.asked.ask { questions, key in try await Self.read(key, questions) }
        if self.asked.json { return try Terminal.show(json: life) }
        Terminal.show(life.user.summary)
        if let history = life.history {
            Terminal.show(
                """
                  calls         creates sent: \(history.creates), without a clear answer: \(history.answersLost), \
                looks: \(history.looks)
                """)
        }
        Terminal.show("")
        if let from = life.log_from, begin < from {
            Terminal.show("history from \(RFC3339.text(from)); older calls are no longer kept")
        }
        try Terminal.show(life.timeline, json: false)
    }

    /// Returns the life, and when it began as far as it is known.
    private static func read(_ key: UserKey, _ questions: any Questions) async throws -> (Life, begin: Date) {
        guard let user = try await questions.user(key) else {
            throw UnknownUser(user: key, why: try? await questions.why(key))
        }
        var life = Life(user: UserLine(user), timeline: [], log_from: nil, history: nil)
        var begin = user.receivedAt
        var next: String?
        repeat {
            guard let page = try await questions.timeline(key, after: next, limit: 200) else { break }
            begin = min(begin, page.data.first?.at ?? begin)
            life.timeline += page.data.map(TimelineLine.init)
            life.log_from = page.logFrom
            next = page.next
        } while next != nil
        life.history = try await questions.proof(key)?.history
        return (life, begin)
    }
}
