// SPDX-License-Identifier: Apache-2.0
// `dialtone why`: has this user got a phone yet, and if not, why?

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says in a sentence why a user has a phone, or has none yet.",
        discussion: """
            The sentence says since when, when it goes on, and what to do. For a user who is not known it says what \
            the tenant's sources were refused lately.

              dialtone why ada

            The exit code is 0 when the user is as wanted, 3 when unknown, 6 when it waits, and 9 when it was given \
            up, whatever is tried again later.
            """)

    @OptionGroup var asked: AskedOfUser

    private struct Output: Encodable {
        var tenant: String
        var user_id: String
        var why: Why
    }

    func run() async throws {
        let (user, why) = try await self.asked.ask { questions, user in (user, try await questions.why(user)) }
        let line = WhyLine(why)
        if self.asked.json {
            try Terminal.show(json: Output(tenant: user.tenant.rawValue, user_id: user.user.rawValue, why: why))
        } else {
            Terminal.show(line.sentence(of: user))
        }
        if line.exitCode != 0 { throw ExitCode(line.exitCode) }
    }
}
