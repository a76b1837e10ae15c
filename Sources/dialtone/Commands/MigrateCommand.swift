// SPDX-License-Identifier: Apache-2.0
// `dialtone migrate`: brings the schema of the database up to date.

import ArgumentParser
import Composition
import Model
import Synchronization

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the database's schema up to date.",
        discussion: """
            Safe to run at any time and from several places at once; each migration is one transaction. The login \
            needs no superuser: with CREATEROLE and the right to create in the database it does everything itself. \
            Where it may not, the message has the SQL for an administrator.

              dialtone migrate --serve-as dialtone_app     lets that login serve too
              dialtone migrate --only-roles                before a dump is read back
            """)

    @Flag(help: "Only show where each migration stands.") var status = false
    @Flag(help: "Only show what would be applied.") var dryRun = false
    @Flag(help: "Only make the roles and the empty schema, into which a dump is read back.") var onlyRoles = false
    @Option(help: "A login that is to run `serve`: it becomes a member of dialtone_service.") var serveAs: String?
    @Option(help: "How long a lock of somebody else is waited for, such as 60s or 5m.") var wait = "60s"
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        guard let wait = Settings.duration(self.wait) else {
            throw InvalidValue("--wait", "must be a time such as 60s, 5m or 1h")
        }
        let settings = try await Settings.read()
        let administration = Administration(settings)
        if self.status || self.dryRun { Terminal.tell(Door.migrateWords(settings)) }
        if self.status {
            return try Terminal.show(try await administration.migrations(), json: self.json)
        }
        if self.dryRun { return try Self.show(try await administration.migrate(dryRun: true), as: self.output) }
        let (serveAs, onlyRoles, output) = (self.serveAs, self.onlyRoles, self.output)
        let isDone = Done()
        try await Interruption.run { _ in
            let applied = try await administration.migrate(
                wait: wait, servingLogin: serveAs, makesRolesOnly: onlyRoles
            ) { Terminal.tell($0) }
            isDone.value.store(true, ordering: .relaxed)
            try Self.show(applied, as: output)
        }
        guard isDone.value.load(ordering: .relaxed) else {
            Terminal.tell("dialtone: stopped by a signal; what was not applied whole was rolled back")
            throw ExitCode(1)
        }
    }

    /// Whether the work came to its end before a signal.
    private final class Done: Sendable {
        let value = Atomic(false)
    }

    /// The form of the output, and its words.
    private struct Output: Sendable {
        let isJSON: Bool
        let verb: String
        let nothing: String
    }

    private var output: Output {
        Output(
            isJSON: self.json, verb: self.dryRun ? "would apply" : "applied",
            nothing: self.onlyRoles
                ? "the roles and the schema are there"
                : self.serveAs.map { "the schema is up to date, and \($0) may serve" }
                    ?? "nothing to do: the schema is up to date")
    }

    private static func show(_ applied: [MigrationLine], as output: Output) throws {
        if output.isJSON { return try Terminal.show(applied, json: true) }
        for migration in applied { Terminal.show("\(output.verb) \(migration.version) \(migration.name)") }
        if applied.isEmpty { Terminal.show(output.nothing) }
    }
}
