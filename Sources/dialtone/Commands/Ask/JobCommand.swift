// SPDX-License-Identifier: Apache-2.0
// `dialtone job`: what is to be done for whom, and what could not be done.

import ArgumentParser
import Composition
import Model

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "What is to be done, and what has failed.",
        subcommands: [List.self, FailuresCommand.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists jobs, each with the reason why it waits.")

        @OptionGroup var asked: AskedOfTenant
        @Option(help: "Only those in this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).")
        var state: String?
        @OptionGroup var page: PageOptions
        @OptionGroup var picked: Fields

        func run() async throws {
            let state = try self.state.map { text in
                guard let state = JobState(rawValue: text) else {
                    let all = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                    throw InvalidValue("--state", "must be one of: \(all)")
                }
                return state
            }
            let answer = try await self.asked.ask { questions, tenant in
                try await self.page.read { after, limit in
                    try await questions.jobs(of: tenant, state: state, after: after, limit: limit)
                }
            }
            try Terminal.show(
                answer.data.map(JobLine.init), next: answer.next, json: self.asked.json, fields: self.picked)
        }
    }

    struct FailuresCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "failures", abstract: "Groups users who failed by what stood in the way.")

        @OptionGroup var asked: AskedOfTenant
        @OptionGroup var picked: Fields

        func run() async throws {
            let groups = try await self.asked.ask { questions, tenant in try await questions.failures(of: tenant) }
            if groups.isEmpty && !self.asked.json { return Terminal.show("nothing has failed") }
            try Terminal.show(groups.map(FailureLine.init), json: self.asked.json, fields: self.picked)
        }
    }
}
