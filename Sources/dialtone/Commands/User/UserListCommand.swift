// SPDX-License-Identifier: Apache-2.0
// `dialtone user list`: which users there are, by any filter that the API has.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct UserListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists users with their credentials; all of them unless --limit is given.",
        discussion: """
              dialtone user list --status failed,pending
              dialtone user list --newest --limit 20
              dialtone user list --email ada@example.com
            """)

    @OptionGroup var asked: AskedOfTenant
    @Option(
        help: "Only those with one of these, separated by commas: \(UserStatus.names).",
        completion: .list(UserStatus.allCases.map(\.rawValue)))
    var status: String?
    @Option(help: "Sign-ups from this time on, such as 2026-01-31T08:00:00Z or 2h.") var since: String?
    @Option(help: "Sign-ups before this time.") var before: String?
    @Option(help: "Only those with a credential under this tag.") var tag: String?
    @Option(
        help: "Only those of whom this source has spoken last.",
        completion: .custom { words, _, _ in await LiveValues.sources(words) })
    var source: String?
    @Option(help: "Only those whose id begins so.") var prefix: String?
    @Option(help: "The user with this e-mail address.") var email: String?
    @Option(help: "The user with this SIP username.") var sipUsername: String?
    @Flag(help: "The newest sign-up first; else by id.") var newest = false
    @Flag(help: "Only how many there are, up to \(UserCount.most).") var count = false
    @OptionGroup var page: PageOptions
    @OptionGroup var picked: Fields

    func run() async throws {
        let filter = try self.filter(now: Date())
        let order: UserOrder = self.newest ? .newest : .id
        if self.count {
            let count = try await self.asked.ask { questions, tenant in
                try await questions.count(UserList(of: tenant, filter))
            }
            if self.asked.json { return try Terminal.show(json: count) }
            return Terminal.show(count.exact ? "\(count.count)" : "\(count.count) or more")
        }
        let answer = try await self.asked.ask { questions, tenant in
            let list = UserList(of: tenant, filter, order: order)
            return try await self.page.read { try await questions.users(list, after: $0, limit: $1) }
        }
        try Terminal.show(
            answer.data.map(UserLine.init), next: answer.next, json: self.asked.json, fields: self.picked)
        if let next = answer.next, !self.asked.json { Terminal.tell("more: --after \(next)") }
    }

    private func filter(now: Date) throws -> UserFilter {
        var filter = UserFilter()
        filter.status = try Set(
            (self.status ?? "").split(separator: ",").map { word in
                guard let status = UserStatus(rawValue: String(word)) else {
                    throw InvalidValue("--status", "must be one of: \(UserStatus.names)")
                }
                return status
            })
        filter.receivedAfter = try Self.time(self.since, "--since", now: now)
        filter.receivedBefore = try Self.time(self.before, "--before", now: now)
        (filter.tag, filter.source, filter.prefix) = (self.tag, self.source, self.prefix)
        (filter.email, filter.sipUsername) = (self.email, self.sipUsername)
        return filter
    }

    /// A time, or how long ago.
    private static func time(_ text: String?, _ option: String, now: Date) throws -> Date? {
        guard let text else { return nil }
        if let date = RFC3339.date(text) { return date }
        guard let ago = Settings.duration(text) else {
            throw InvalidValue(option, "must be a time such as 2026-01-31T08:00:00Z, or how long ago, such as 2h")
        }
        return now - Double(ago.components.seconds)
    }
}

extension UserStatus {
    static let names = UserStatus.allCases.map(\.rawValue).joined(separator: ", ")
}
