// SPDX-License-Identifier: Apache-2.0
// Suggests the command that was meant, where the first word that is read as one is no command.

import ArgumentParser
import Model

enum NearestCommand {
    /// A name that differs in more letters was hardly meant.
    private static let maximumChanges = 2

    /// Returns a line such as "Did you mean: dialtone tenant?"; nil when each command of the line is known, or none is
    /// near.
    static func hint(for arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = Dialtone.self
        var path = ["dialtone"]
        for argument in arguments {
            let commands = command.configuration.subcommands
            guard !commands.isEmpty, !argument.hasPrefix("-") else { return nil }
            if let next = commands.first(where: { Self.name(of: $0) == argument }) {
                command = next
                path.append(argument)
                continue
            }
            let nearest = NearestName.of(argument, among: commands.map(Self.name), within: Self.maximumChanges)
            return nearest.map { "Did you mean: \((path + [$0]).joined(separator: " "))?" }
        }
        return nil
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }
}
