// SPDX-License-Identifier: Apache-2.0
// `dialtone event`: what senders have sent and what became of it, and what is in quarantine.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct EventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "What senders have sent, and what is in quarantine.",
        subcommands: [List.self, Show.self, EventReplayCommand.self, EventDropCommand.self])

    static func id(_ text: String) throws(InvalidValue) -> EventID {
        guard let id = UUID(uuidString: text) else {
            throw InvalidValue("event", "must be an event's id, as event list shows it")
        }
        return EventID(rawValue: id)
    }

    /// The source whose events are meant, and its tenant.
    struct OfSource: ParsableArguments {
        @Option(help: "Only this source's.") var source: String?
        @Option(help: "Only this tenant's; with --source, where the source belongs to it or serves it.")
        var tenant: String?

        @Option(help: "The service's URL. Default: DIALTONE_URL.") var url: String?
        @Option(help: "A service that dialtone login has kept.") var profile: String?

        /// Whether a running service is asked, and not the database.
        var isOverHTTP: Bool {
            get async throws { try await self.door().url != nil }
        }

        func door() async throws -> Door {
            try await Door.choose(
                Door.Signs(url: self.url, profile: self.profile), environment: SecretVariables.environment,
                settings: { try await Settings.read() })
        }

        func asked(_ json: Bool) -> AskedOfTenant {
            var by = AskedBy()
            (by.url, by.profile, by.json) = (self.url, self.profile, json)
            var asked = AskedOfTenant()
            (asked.by, asked.tenant) = (by, self.tenant)
            return asked
        }

        var choice: EventChoice {
            get throws { EventChoice(source: self.source, tenant: try self.tenant.map { try TenantID($0) }) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the newest events first.",
            discussion: """
                  dialtone event list --source clerk                what it has sent, and what became of it
                  dialtone event list --quarantined                 what could not be used, and is kept
                  dialtone event list --refused                     what was refused, by reason and count
                  dialtone event list --ignored                     what asks nothing, by type and count
                """)

        @OptionGroup var of: OfSource
        @Flag(help: "What is in quarantine.") var quarantined = false
        @Flag(help: "What was refused: counts, not events.") var refused = false
        @Flag(help: "What asked nothing: counts, not events.") var ignored = false
        @Option(help: "Only what was said of this user.") var user: String?
        @Option(help: "At most this many.") var limit = 50
        @Option(help: "Begin after an earlier page: its next, as it is.") var after: String?
        @OptionGroup var picked: Fields
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (1...1000).contains(self.limit) else { throw ValidationError("--limit must be from 1 to 1000") }
            guard [self.quarantined, self.refused, self.ignored].filter(\.self).count <= 1 else {
                throw ValidationError("give one of --quarantined, --refused and --ignored")
            }
            guard self.user == nil || !(self.refused || self.ignored) else {
                throw ValidationError("--user is of events; what was refused or ignored is counted, and names nobody")
            }
        }

        func run() async throws {
            if try await self.of.isOverHTTP || self.user != nil || self.after != nil {
                return try await self.showAsTenant()
            }
            if self.refused || self.ignored {
                return try await EventTally.show(
                    outcome: self.refused ? "refused" : "ignored", source: self.of.source, tenant: self.of.tenant,
                    limit: self.limit, json: self.json)
            }
            let lines = try await Administration(try await Settings.read()).events(
                try self.of.choice, quarantined: self.quarantined, limit: self.limit)
            try Terminal.show(lines, json: self.json, fields: self.picked)
        }

        /// Through the API, as a tenant sees its events.
        private func showAsTenant() async throws {
            if self.refused || self.ignored {
                let word = self.refused ? "refused" : "ignored"
                let list = try await self.of.asked(self.json).ask { questions, tenant in
                    try await questions.refusals(of: tenant, source: self.of.source).filter { $0.outcome == word }
                }
                return try Terminal.show(list.map(RefusalLine.init), json: self.json, fields: self.picked)
            }
            var filter = EventFilter()
            filter.source = self.of.source
            filter.user = try self.user.map { try UserID(existing: $0) }
            if self.quarantined { filter.outcome = [.quarantined] }
            var page = PageOptions()
            (page.limit, page.after) = (min(self.limit, 200), self.after)
            let answer = try await self.of.asked(self.json).ask { questions, tenant in
                try await page.read { try await questions.events(of: tenant, filter, after: $0, limit: $1) }
            }
            try Terminal.show(
                answer.data.map(ToldEventLine.init), next: answer.next, json: self.json, fields: self.picked)
            if let next = answer.next, !self.json { Terminal.tell("more: --after \(next)") }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one event: its delivery, and what became of it.")

        @Argument(help: "The event's id; over HTTP the sender's id of the delivery will do.") var event: String
        @OptionGroup var of: OfSource
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            if try await self.of.isOverHTTP {
                let event = try await self.of.asked(self.json).ask { questions, tenant in
                    // The sender's id of a delivery may have the form of ours.
                    if let id = try? EventCommand.id(self.event), let event = try await questions.event(id, of: tenant)
                    {
                        return ToldEvent?.some(event)
                    }
                    guard let id = try await self.ofDelivery(questions, tenant) else { return nil }
                    return try await questions.event(id, of: tenant)
                }
                guard let event else { throw NotFound(what: "event \(self.event)") }
                let line = ToldEventLine(event)
                if self.json { try Terminal.show(json: line) } else { Terminal.show(line.summary) }
                return
            }
            let id = try EventCommand.id(self.event)
            guard let line = try await Administration(try await Settings.read()).event(id) else {
                throw NotFound(what: "event \(id)")
            }
            if self.json { try Terminal.show(json: line) } else { Terminal.show(line.summary) }
        }

        /// Returns the id of the one event of this delivery; nil when there is none.
        private func ofDelivery(_ questions: any Questions, _ tenant: TenantID) async throws -> EventID? {
            let found = try await questions.find(self.event, in: tenant).filter { $0.kind == "event" }
            guard found.count < 2 else {
                throw InvalidValue(
                    "event", "the delivery has \(found.count) events; name one: dialtone find \(self.event)")
            }
            return try found.first.map { try EventCommand.id($0.id) }
        }
    }
}
