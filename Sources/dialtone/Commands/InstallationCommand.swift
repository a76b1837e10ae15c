// SPDX-License-Identifier: Apache-2.0
// `dialtone installation`: shows this installation, and confirms what it is after a restore or a clone.

import ArgumentParser
import Composition

struct InstallationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "installation", abstract: "This installation, and what to do after a restore or a clone.",
        subcommands: [Show.self, Confirm.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the installation's id and what is held up.")
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            guard let line = try await Acting.reading().installation() else {
                throw NotFound(what: "installation")
            }
            if self.json { return try Terminal.show(json: line) }
            Terminal.show("installation \(line.installation)")
            Terminal.show("last change of the database server: \(line.last_change ?? "none")")
            if line.looks_first { Terminal.show("some tenants' creates look first, until their tags have been listed") }
            if line.needs_confirmation {
                Terminal.show("nothing is deleted: run dialtone installation confirm --same or --clone")
            }
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says what a database on another system is; until then nothing is deleted at the provider.",
            discussion: """
                With --same this installation has moved or was restored, and the other one runs no more.

                With --clone this is a second installation beside the first. It gets its own id, lets go of all \
                credentials of the first, and makes new ones for its users. Start its workers anew afterwards.
                """)

        @Flag(help: "The same installation.") var same = false
        @Flag(help: "A second installation.") var clone = false

        func validate() throws {
            guard self.same != self.clone else { throw ValidationError("give either --same or --clone") }
        }

        func run() async throws {
            try await Acting.administration().confirmInstallation(isClone: self.clone)
            Terminal.show(self.clone ? "a second installation, with an id of its own" : "the same installation")
        }
    }
}
