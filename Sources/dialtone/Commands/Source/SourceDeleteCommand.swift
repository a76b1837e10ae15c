// SPDX-License-Identifier: Apache-2.0
// `dialtone source delete`: a source goes with what it has told of people; its users and events stay.

import ArgumentParser
import Composition
import Model

struct SourceDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes a source; without --yes it says what would go.",
        discussion: """
            Its hook is unknown within 5 seconds, and its secrets and its table of organisations are gone. A worker deletes
            what it has told of people, and what quarantine keeps of its events. Users stay as they are, and so do the
            rows of the ledger.
            """)

    @OptionGroup var named: NamedSource
    @Flag(help: "Do it.") var yes = false
    @Flag(help: "Print JSON.") var json = false

    private struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    func run() async throws {
        let tenant = try self.named.tenant
        let administration = try await Acting.administration()
        guard self.yes else {
            let line = try await administration.belongingsOfSource(self.named.source, tenant: tenant)
            if self.json { try Terminal.show(json: line) }
            throw Refused(description: "nothing was deleted: \(line.text). Give --yes to delete \(line.source)")
        }
        let line = try await administration.deleteSource(self.named.source, tenant: tenant)
        if self.json { return try Terminal.show(json: line) }
        Terminal.show("source \(line.source) is deleted; its hook is unknown within 5 seconds")
    }
}
