// SPDX-License-Identifier: Apache-2.0
// `dialtone vault`: makes a key for the vault.

import ArgumentParser
import Composition

struct VaultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault", abstract: "Keys of the vault.", subcommands: [KeyGeneration.self])

    struct KeyGeneration: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keygen",
            abstract: "Prints a new key-encryption key: keep it in a file of mode 0600 and name it in DIALTONE_KEK.")

        func run() throws { Terminal.show(Administration.generateKey()) }
    }
}
