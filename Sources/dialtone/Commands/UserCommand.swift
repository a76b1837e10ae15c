// SPDX-License-Identifier: Apache-2.0
// `dialtone user`: a tenant's users and the life of one.

import ArgumentParser
import Composition
import Model

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "The users of a tenant.", subcommands: [List.self, Show.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists users with their credentials; all of them unless --limit is given.")

        @Option(help: "The tenant.") var tenant: String
        @Option(help: "At most this many.") var limit: Int?
        @Option(help: "Only those after this user id.") var after: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if let limit, !(1...200).contains(limit) { throw ValidationError("--limit must be from 1 to 200") }
        }

        func run() async throws {
            let tenant = try TenantID(self.tenant)
            let after = try self.after.map { try UserID($0) }
            let page = try await Administration(try await Settings.read()).users(
                of: tenant, after: after, limit: self.limit)
            try Terminal.show(page.lines, next: page.next, json: self.json)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one user and every transition of its jobs.")

        @Argument(help: "The user's id.") var user: String
        @Option(help: "The tenant.") var tenant: String
        @Flag(help: "Print JSON.") var json = false

        private struct Output: Encodable {
            var user: UserLine
            var timeline: [TimelineLine]
        }

        func run() async throws {
            let key = UserKey(tenant: try TenantID(self.tenant), user: try UserID(self.user))
            guard let (line, timeline) = try await Administration(try await Settings.read()).user(key) else {
                throw NotFound(what: "user \(key.user) of tenant \(key.tenant)")
            }
            if self.json { return try Terminal.show(json: Output(user: line, timeline: timeline)) }
            Terminal.show(line.summary + "\n")
            try Terminal.show(timeline, json: false)
        }
    }
}
