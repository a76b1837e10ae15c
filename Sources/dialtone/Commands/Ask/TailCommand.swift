// SPDX-License-Identifier: Apache-2.0
// `dialtone tail`: what happens in a tenant, as it happens.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Prints the steps of a tenant's jobs as they happen, until Ctrl-C.",
        discussion: """
            Each line is one step of the job of one user; what was said stands in event list, and what an operator did \
            in user show. It begins some seconds back. A connection that breaks is opened again where it was. With --json each line has its place, and --from begins after it, an hour ago \
            at most.

              dialtone tail --tenant acme
            """)

    @OptionGroup var asked: AskedOfTenant
    @Option(help: "Begin after this place, as an earlier --json has shown it.") var from: String?

    func validate() throws {
        guard self.from.map({ Int64($0) != nil }) ?? true else {
            throw ValidationError("--from must be the place of an earlier --json")
        }
    }

    private struct Output: Encodable {
        var place: String
        var user_id: String
        var step: TimelineLine
    }

    /// Both ways go back by an hour at most.
    private static func isTooOld(_ place: String?, now: Date) -> Bool {
        guard let place = place.flatMap({ Int64($0) }) else { return false }
        let now = NewsPlace(microseconds: Int64(now.timeIntervalSince1970 * 1_000_000))
        return NewsPlace(microseconds: place) < now.anHourBefore
    }

    func run() async throws {
        let json = self.asked.json
        try await self.asked.ask { questions, tenant in
            if Self.isTooOld(self.from, now: Date()) {
                Terminal.tell("dialtone: --from is more than an hour ago, so what is told begins an hour ago")
            }
            try await questions.tail(tenant, from: self.from) { told in
                let line = TimelineLine(told.step)
                if json {
                    try? Terminal.show(json: Output(place: told.place, user_id: told.user, step: line))
                } else {
                    Terminal.show("\(told.user)  \(line.words)")
                }
            }
        }
    }
}
