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
        @Option(
            help: "Only this source's; over HTTP, and with --outcome or --user, one of the tenant's own.",
            completion: .custom { words, _, _ in await LiveValues.sources(words) })
        var source: String?
        @Option(help: "Only this tenant's; with --source, where the source belongs to it or serves it.")
        var tenant: String?

        @Option(help: "The service's URL. Default: DIALTONE_URL.") var url: String?
        @Option(help: "A service that dialtone login has kept.") var profile: String?

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
                  dialtone event list --tenant acme                 as a key of that tenant sees it
                  dialtone event list --outcome waiting             by what became of them, of one tenant
                """)

        @OptionGroup var of: OfSource
        @Flag(help: "What is in quarantine.") var quarantined = false
        @Flag(help: "What was refused: counts, not events.") var refused = false
        @Flag(help: "What asked nothing: counts, not events.") var ignored = false
        @Option(help: "Only what was said of this user.") var user: String?
        @Option(
            help: "Only those with one of these, separated by commas: \(ToldOutcome.names).",
            completion: .list(ToldOutcome.allCases.map(\.rawValue)))
        var outcome: String?
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
            guard self.outcome == nil || !(self.quarantined || self.refused || self.ignored) else {
                throw ValidationError("give either --outcome, or one of --quarantined, --refused and --ignored")
            }
        }

        func run() async throws {
            let door = try await self.of.door()
            guard door.url == nil, self.isOperators else { return try await self.showAsTenant() }
            let choice = try self.of.choice
            let before = try self.after.map { try EventCommand.id($0) }
            Terminal.tell(door.words)
            if self.refused || self.ignored {
                return try await EventTally.show(
                    outcome: self.refused ? "refused" : "ignored", choice, limit: self.limit, json: self.json,
                    fields: self.picked)
            }
            let answer = try await Administration(try await Settings.read()).events(
                choice, quarantined: self.quarantined, before: before, limit: self.limit)
            try self.show(answer)
        }

        /// Whether the list is an operator's: of all tenants, or of a source that may serve several. Its `next` is
        /// an event's id. What became of an event may differ from tenant to tenant, so one of them is asked for it.
        private var isOperators: Bool {
            (self.of.tenant == nil || self.of.source != nil) && self.user == nil && self.outcome == nil
                && self.after.map { UUID(uuidString: $0) != nil } ?? true
        }

        private func show(_ answer: Answer<some Line>) throws {
            try Terminal.show(answer.data, next: answer.next, json: self.json, fields: self.picked)
            if let next = answer.next, !self.json { Terminal.tell("more: --after \(next)") }
        }

        /// As a tenant sees its events, through the API or in the database.
        private func showAsTenant() async throws {
            if self.refused || self.ignored {
                // What quarantine had no room for asked something, and was let go all the same.
                let words = self.refused ? ["refused"] : ["ignored", "not_kept"]
                let list = try await self.of.asked(self.json).ask { questions, tenant in
                    try await questions.refusals(of: tenant, source: self.of.source)
                        .filter { words.contains($0.outcome) }
                }
                try Terminal.show(list.map(RefusalLine.init), json: self.json, fields: self.picked)
                let samples = list.flatMap(RefusalSampleLine.lines)
                guard !samples.isEmpty, !self.json, self.picked.paths == nil else { return }
                Terminal.show("")
                return try Terminal.show(samples, json: false)
            }
            var filter = EventFilter()
            filter.source = self.of.source
            filter.user = try self.user.map { try UserID(existing: $0) }
            filter.outcome = try self.quarantined ? [.quarantined] : ToldOutcome.set(self.outcome)
            var page = PageOptions()
            (page.limit, page.after) = (self.limit, self.after)
            let answer = try await self.of.asked(self.json).ask { questions, tenant in
                try await page.read { try await questions.events(of: tenant, filter, after: $0, limit: $1) }
            }
            try self.show(Answer(answer.data.map(ToldEventLine.init), next: answer.next))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one event: its delivery, and what became of it.")

        @Argument(help: "The event's id; over HTTP or with --tenant also the sender's id of the delivery.")
        var event: String
        @OptionGroup var of: OfSource
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let door = try await self.of.door()
            guard door.url == nil, self.of.tenant == nil else { return try await self.showAsTenant() }
            let id = try EventCommand.id(self.event)
            Terminal.tell(door.words)
            guard let line = try await Administration(try await Settings.read()).event(id) else {
                throw NotFound(what: "event \(id)")
            }
            if self.json { try Terminal.show(json: line) } else { Terminal.show(line.summary) }
        }

        /// As a tenant sees it, through the API or in the database.
        private func showAsTenant() async throws {
            let event = try await self.of.asked(self.json).ask { questions, tenant in
                // The sender's id of a delivery may have the form of ours.
                if let id = try? EventCommand.id(self.event), let event = try await questions.event(id, of: tenant) {
                    return ToldEvent?.some(event)
                }
                guard let id = try await self.ofDelivery(questions, tenant) else { return nil }
                return try await questions.event(id, of: tenant)
            }
            guard let event else { throw NotFound(what: "event \(self.event)") }
            let line = ToldEventLine(event)
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

extension ToldOutcome {
    fileprivate static let names = ToldOutcome.allCases.map(\.rawValue).joined(separator: ", ")

    /// Reads words that are separated by commas. None at all: no text was given.
    fileprivate static func set(_ text: String?) throws(InvalidValue) -> Set<ToldOutcome> {
        guard let text else { return [] }
        var outcomes: Set<ToldOutcome> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let outcome = ToldOutcome(rawValue: String(word)) else {
                throw InvalidValue("--outcome", "must be one of: \(Self.names)")
            }
            outcomes.insert(outcome)
        }
        return outcomes
    }
}
