// SPDX-License-Identifier: Apache-2.0
// `dialtone user wait`: returns when a user is ready, or is removed.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct UserWaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Waits until a user is ready, or is removed.",
        discussion: """
              dialtone user wait ada --for ready --timeout 30

            The exit code is 8 when the time is over, and 9 when the user has failed for good.
            """)

    @OptionGroup var asked: AskedOfUser
    @Option(name: .customLong("for"), help: "ready or revoked.") var goal = "ready"
    @Option(help: "Seconds.") var timeout = 60

    func validate() throws {
        guard ["ready", "revoked"].contains(self.goal) else { throw ValidationError("--for must be ready or revoked") }
        guard (1...3600).contains(self.timeout) else { throw ValidationError("--timeout must be from 1 to 3600") }
    }

    func run() async throws {
        let line = try await self.asked.ask { questions, user in try await self.wait(user, questions) }
        if self.asked.json { try Terminal.show(json: line) } else { Terminal.show(line.summary) }
    }

    /// Cancelled here: the user goes on without us.
    private func wait(_ user: UserKey, _ questions: any Questions) async throws -> UserLine {
        let end = ContinuousClock.now + .seconds(self.timeout)
        var told: String?
        while true {
            let entry = try await questions.user(user)
            if let entry, entry.status == self.goal { return UserLine(entry) }
            if let why = entry?.why {
                if told != why.text { Terminal.tell(WhyLine(why).sentence(of: user)) }
                told = why.text
                if entry?.status == "failed" { throw ExitCode(9) }
            }
            guard ContinuousClock.now < end else {
                Terminal.tell(
                    "dialtone: \(self.timeout) s are over, and user \(user.user) is \(entry?.status ?? "unknown")")
                throw ExitCode(8)
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
