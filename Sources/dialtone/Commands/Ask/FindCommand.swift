// SPDX-License-Identifier: Apache-2.0
// `dialtone find`: what does this id belong to?

import ArgumentParser
import Composition
import Model

struct FindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Finds the user or the event that an id belongs to.",
        discussion: """
            The text may be a user's id or its beginning, an e-mail address or a SIP username in full, a credential's \
            id, an event's id, the sender's id of a delivery (or source:delivery), the request id of an action, or an \
            API key's id.

              dialtone find ada@example.com
            """)

    @OptionGroup var asked: AskedOfTenant
    @OptionGroup var picked: Fields
    @Argument(help: "What you have.") var text: String

    func run() async throws {
        let found = try await self.asked.ask { questions, tenant in
            try await questions.find(self.text, in: tenant)
        }
        if self.asked.json || !found.isEmpty {
            try Terminal.show(found.map(FoundLine.init), json: self.asked.json, fields: self.picked)
        }
        if found.isEmpty {
            throw NotFound(what: "user, event or key of that id; it must be whole, but for a user's id")
        }
    }
}
