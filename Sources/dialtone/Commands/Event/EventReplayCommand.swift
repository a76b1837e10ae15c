// SPDX-License-Identifier: Apache-2.0
// `dialtone event replay` and `event drop`: what is in quarantine is tried again by today's mapping, or given up.

import ArgumentParser
import Composition
import Model

struct EventReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Tries again what is in quarantine, by today's mapping; each event counts once.",
        discussion: """
              dialtone event replay 019a… --dry-run      what was read then and now, and the effect
              dialtone event replay 019a…
              dialtone event replay --source clerk --reason unmapped

            A word counts as of its own time. The exit code is 1 when nothing came out of quarantine.
            """)

    @Argument(help: "The event's id, as event list shows it.") var event: String?
    @OptionGroup var of: EventCommand.OfSource
    @Option(help: "With --source: only those that are in quarantine for this, such as unmapped.") var reason: String?
    @Flag(help: "Write nothing: say what would be.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (self.event != nil) != (self.of.source != nil) else {
            throw ValidationError("give either an event's id or --source")
        }
        guard self.event == nil || self.reason == nil && self.of.tenant == nil else {
            throw ValidationError("--reason and --tenant go with --source")
        }
        guard self.of.url == nil, self.of.profile == nil else {
            throw ValidationError("event replay does not go over HTTP: it takes no --url and no --profile")
        }
    }

    func run() async throws {
        let administration = try await Acting.administration()
        if let event = self.event {
            let id = try EventCommand.id(event)
            guard let line = try await administration.replay(id, isDry: self.dryRun) else {
                throw NotFound(what: "event \(id) in quarantine")
            }
            if self.json { try Terminal.show(json: line) } else { Terminal.show(line.summary) }
            return try Self.end(isDone: line.isDone)
        }
        let (lines, failure) = try await administration.replay(
            of: try self.of.choice, reason: self.reason, isDry: self.dryRun)
        // What was done before an error stays done, and is told.
        try Terminal.show(lines, json: self.json)
        if let failure { throw failure }
        try Self.end(isDone: lines.contains(where: \.isDone))
    }

    private static func end(isDone: Bool) throws {
        if !isDone { throw ExitCode(1) }
    }
}

struct EventDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Takes an event out of quarantine unused; its body goes.",
        discussion: """
            What its source has told of a person's memberships stays known. When the sender sends it again it is a duplicate.
            """)

    @Argument(help: "The event's id, as event list shows it.") var event: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let id = try EventCommand.id(self.event)
        guard let line = try await Acting.administration().drop(id) else {
            throw NotFound(what: "event \(id) in quarantine")
        }
        if self.json {
            try Terminal.show(json: line)
        } else if let reason = line.reason {
            Terminal.tell("dialtone: event \(id) was not dropped: \(reason)")
        } else {
            Terminal.show("event \(id) is dropped")
        }
        if !line.dropped { throw ExitCode(1) }
    }
}
