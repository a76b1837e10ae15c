// SPDX-License-Identifier: Apache-2.0
// `dialtone event`: what senders have sent and what became of it, and what is in quarantine.

import ArgumentParser
import Composition
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
        @Option(help: "At most this many.") var limit = 50
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (1...1000).contains(self.limit) else { throw ValidationError("--limit must be from 1 to 1000") }
            guard [self.quarantined, self.refused, self.ignored].filter(\.self).count <= 1 else {
                throw ValidationError("give one of --quarantined, --refused and --ignored")
            }
        }

        func run() async throws {
            if self.refused || self.ignored {
                return try await EventTally.show(
                    outcome: self.refused ? "refused" : "ignored", source: self.of.source, tenant: self.of.tenant,
                    limit: self.limit, json: self.json)
            }
            let lines = try await Administration(try await Settings.read()).events(
                try self.of.choice, quarantined: self.quarantined, limit: self.limit)
            try Terminal.show(lines, json: self.json)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one event: its delivery, what became of it, and whether it can be replayed.")

        @Argument(help: "The event's id, as event list shows it.") var event: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let id = try EventCommand.id(self.event)
            guard let line = try await Administration(try await Settings.read()).event(id) else {
                throw NotFound(what: "event \(id)")
            }
            if self.json { try Terminal.show(json: line) } else { Terminal.show(line.summary) }
        }
    }
}
