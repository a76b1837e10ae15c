// SPDX-License-Identifier: Apache-2.0
// `dialtone send`: sends a sender's signed events, to try the service out.

import ArgumentParser
import Composition
import Foundation
import Model

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Signs and sends a realistic event of any sender, as the sender would.",
        discussion: """
            The secret is in DIALTONE_SOURCE_SECRET, or in a file. A sign-up that takes two events at its sender is \
            sent as two.

              dialtone send --url $HOOK --tenant acme --user u-1 --wait
              dialtone send --url $HOOK --preset clerk --organization org_2qAcme \\
                --user user_1 --secret-file clerk.secret
              dialtone send --url $HOOK --config idp.json --body event.json

            With --stale or --forged the service must refuse: the exit code is 0 when it does. --wait follows the user \
            until the event has had its effect: through the API at DIALTONE_URL with the key in DIALTONE_API_KEY, \
            else through the database.
            """)

    @Option(help: "The source's URL.") var url: String
    @Option(help: "The sender: \(Administration.presetNames). Default: standard.") var preset: String?
    @Option(help: "A file with the source's own configuration; - reads standard input.") var config: String?
    @Option(help: "The source's secret; every list of processes shows it. Better: DIALTONE_SOURCE_SECRET.")
    var secret: String?
    @Option(help: "A file that holds the source's secret.") var secretFile: String?
    @Option(help: "The tenant.") var tenant: String?
    @Option(help: "The sender's own id of the organisation, where it names organisations. Default: the tenant.")
    var organization: String?
    @Option(parsing: .unconditional, help: "The user's id.") var user: String?
    @Option(
        name: [.long, .customLong("type")],
        help: "created, deleted, removed (out of the organisation), or the sender's own name of an event.")
    var event = "created"
    @Option(parsing: .unconditional, help: "The delivery's id; the same one twice is a duplicate. Default: random.")
    var id: String?
    @Option(help: "A file with a body of your own, sent as it is; - reads standard input.") var body: String?
    @Option(help: "One more header as 'name: value'; may be given several times.") var header: [String] = []
    @Option(help: "How often each delivery is sent; the second time it is a duplicate.") var times = 1
    @Flag(help: "Sign with a time that is too old: the service must refuse.") var stale = false
    @Flag(help: "Sign with another secret: the service must refuse.") var forged = false
    @Flag(help: "Wait until the event has had its effect on the user.") var wait = false
    @Option(help: "Seconds that --wait lasts at most.") var timeout = 60

    func validate() throws {
        guard self.secret == nil || self.secretFile == nil else {
            throw ValidationError("give either --secret or --secret-file")
        }
        guard self.body != nil || (self.user != nil && (self.tenant ?? self.organization) != nil) else {
            throw ValidationError("give --user and --tenant (or --organization), or --body")
        }
        guard (1...100).contains(self.times) else { throw ValidationError("--times must be from 1 to 100") }
        guard (1...3600).contains(self.timeout) else { throw ValidationError("--timeout must be from 1 to 3600") }
        guard !(self.stale && self.forged) else { throw ValidationError("give either --stale or --forged") }
        guard !self.wait || (self.user != nil && self.tenant != nil && !self.stale && !self.forged) else {
            throw ValidationError("--wait needs --user and --tenant, and goes with neither --stale nor --forged")
        }
    }

    func run() async throws {
        let events = try SendEvents(try self.order())
        let follow = try await self.following(until: events.isTaking ? .revoked : .ready)
        if events.names.count > 1 {
            let all = events.names.count == 2 ? "both" : "all"
            Terminal.tell("\(events.names.joined(separator: ", then ")): \(all) are needed")
        }
        let isAlone = events.names.count == 1 && self.times == 1
        var answers: [SendAnswer] = []
        let now = Date()
        try await events.run(now: now) { answer in
            let again = answer.time > 1 ? ", time \(answer.time)" : ""
            let name = isAlone ? "" : "\(answer.event)\(again): "
            Terminal.show("\(name)\(answer.status) \(answer.body)")
            answers.append(answer)
        }
        try self.judge(answers)
        guard let follow else { return }
        try answers.requireEffect()
        try await follow(now)
    }

    /// Throws where the service has not done with a delivery what it must do.
    private func judge(_ answers: [SendAnswer]) throws {
        if self.stale || self.forged {
            guard answers.allSatisfy({ $0.status == 401 }) else {
                Terminal.tell("dialtone: the service must refuse this with 401, and did not")
                throw ExitCode(1)
            }
            Terminal.tell("refused, as it must be")
            return
        }
        if answers.contains(where: \.isRedirect) {
            Terminal.tell("dialtone: a redirect is not followed: give the URL to which it leads as --url")
        }
        guard answers.allSatisfy(\.isTaken) else { throw ExitCode(1) }
    }

    private func order() throws -> SendOrder {
        var order = SendOrder(url: self.url)
        order.preset = self.preset
        order.configuration = try self.config.map { try FileArgument.read($0, option: "--config") }
        let given = try self.secretFile.map { try SecretArgument.read($0, option: "--secret-file") } ?? self.secret
        let known = Self.set(given) ?? Self.set(SecretVariables.environment["DIALTONE_SOURCE_SECRET"])
        order.secret = known.map { Secret($0) }
        order.event = self.event
        order.user = try self.user.map { try UserID($0).rawValue } ?? ""
        order.organization = try self.organization ?? self.tenant.map { try TenantID($0).rawValue } ?? ""
        order.id = self.id
        order.body = try self.body.map { try FileArgument.read($0, option: "--body") }
        order.headers = try self.header.map(HeaderArgument.read)
        order.times = self.times
        order.fault = self.stale ? .stale : self.forged ? .forged : nil
        return order
    }

    /// Returns what waits for the user; nil without --wait. Throws before anything is sent where nothing could be seen.
    private func following(until goal: UserStatus) async throws -> ((Date) async throws -> Void)? {
        guard self.wait, let user = self.user, let tenant = self.tenant else { return nil }
        let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
        let timeout = Duration.seconds(self.timeout)
        // The clocks of two machines differ a little.
        let margin: TimeInterval = 2
        let environment = SecretVariables.environment
        if let text = Self.set(environment["DIALTONE_API_KEY"]) {
            let address = try APIAddress(
                hook: self.url, named: Self.set(environment["DIALTONE_URL"]),
                publicURL: Self.set(environment["DIALTONE_PUBLIC_URL"]))
            let api = FollowByAPI(at: address, key: Secret(text))
            return { sent in
                try await api.run(key, until: goal, timeout: timeout, since: sent - margin) { Terminal.show($0) }
            }
        }
        let administration = Administration(try await Settings.read())
        return { sent in
            try await administration.follow(key, until: goal, timeout: timeout, since: sent - margin) {
                Terminal.show($0)
            }
        }
    }

    /// An empty variable is none.
    private static func set(_ value: String?) -> String? {
        value.map { SettingText.cleaned($0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
