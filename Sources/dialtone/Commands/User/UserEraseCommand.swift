// SPDX-License-Identifier: Apache-2.0
// `dialtone user erase`: what names a person goes out of every table.

import ArgumentParser
import Composition
import Model

struct UserEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Erases a person who was revoked; without --yes it says whether it can be done.",
        discussion: """
            The user must be revoked, and nothing of the user may be under way: no job, no credential that is not \
            deleted, no create in doubt within the last day. Run dialtone user revoke first, and come again.

            What stays names nobody: each delivery's id as a guard against its replay, a user under a random name with \
            the hashes under which credentials were made, for 90 days, and the number with which the tenant's new users \
            begin. Backups, and what your senders and the provider keep, are yours to erase. Erase when your sender's \
            retries are over: an older sign-up that comes for the first time counts as a new one.

              dialtone user erase u-1 --tenant acme --yes
            """)

    @OptionGroup var named: NamedUser
    @Flag(help: "Do it. It cannot be undone.") var yes = false

    private struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    func run() async throws {
        let key = try self.named.key
        let administration = try await Acting.administration()
        guard self.yes else {
            try await administration.checkErasure(of: key)
            let user = "user \(key.user) of tenant \(key.tenant)"
            throw Refused(description: "nothing was erased. Give --yes to erase \(user)")
        }
        let line = try await administration.erase(key)
        if self.named.json { return try Terminal.show(json: line) }
        Terminal.show(line.text)
    }
}
