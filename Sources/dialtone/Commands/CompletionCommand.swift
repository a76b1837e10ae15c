// SPDX-License-Identifier: Apache-2.0
// `dialtone completion`: a script by which a shell completes commands, options and live values.

import ArgumentParser
import Model

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Prints a shell's completion script.",
        discussion: """
            Tenants, users, sources and profiles are completed as they are now, from whom the command would ask. \
            Sources are offered from the database alone.

              dialtone completion bash > /etc/bash_completion.d/dialtone
            """)

    @Argument(help: "bash, zsh or fish.") var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: self.shell), ["bash", "zsh", "fish"].contains(self.shell) else {
            throw InvalidValue("shell", "must be bash, zsh or fish")
        }
        Terminal.show(Dialtone.completionScript(for: shell))
    }
}
