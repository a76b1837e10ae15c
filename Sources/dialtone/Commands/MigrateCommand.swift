// SPDX-License-Identifier: Apache-2.0
// `dialtone migrate`: brings the schema of the database up to date.

import ArgumentParser
import Composition

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the database's schema up to date.",
        discussion: "Safe to run at any time and from several places at once; each migration is one transaction.")

    @Flag(help: "Only show where each migration stands.") var status = false
    @Flag(help: "Only show what would be applied.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let administration = Administration(try await Settings.read())
        if self.status {
            return try Terminal.show(try await administration.migrations(), json: self.json)
        }
        let applied = try await administration.migrate(dryRun: self.dryRun)
        if self.json { return try Terminal.show(applied, json: true) }
        for migration in applied {
            Terminal.show("\(self.dryRun ? "would apply" : "applied") \(migration.version) \(migration.name)")
        }
        if applied.isEmpty { Terminal.show("nothing to do: the schema is up to date") }
    }
}
