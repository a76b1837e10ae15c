// SPDX-License-Identifier: Apache-2.0
// The command line: reads arguments, makes one call to `Composition`, and prints the outcome.
//
// The exit code is 0 when the command has done its work, 2 for wrong usage or a wrong setting, and else says what kind
// of failure it was (`CommandEnd`). Each command has a file in `Commands`.

import ArgumentParser
import Composition
import Foundation
import Model

@main
struct Dialtone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dialtone",
        abstract: "Gives every new user of your SaaS exactly one Telnyx telephony credential.",
        discussion: """
            A sign-up webhook comes in and is stored; a worker creates the user's credential at Telnyx and keeps its \
            SIP password encrypted; your app fetches WebRTC login tokens. Try it with nothing set up:

              dialtone demo

            To run it: `dialtone migrate`, `dialtone tenant create`, `dialtone source create`, `dialtone serve`. \
            Settings come from flags, the environment, or a YAML file named by DIALTONE_CONFIG; see the README.
            """,
        version: Administration.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Try it", subcommands: [DemoCommand.self, SendCommand.self, SimulatorCommand.self]),
            CommandGroup(
                name: "People",
                subcommands: [WhyCommand.self, FindCommand.self, UserCommand.self, SummaryCommand.self]),
            CommandGroup(
                name: "Watch",
                subcommands: [TailCommand.self, EventCommand.self, JobCommand.self, LimitCommand.self]),
            CommandGroup(
                name: "Set up",
                subcommands: [
                    TenantCommand.self, SourceCommand.self, KeyCommand.self, LoginCommand.self, LogoutCommand.self,
                    OpenCommand.self, CompletionCommand.self,
                ]),
            CommandGroup(
                name: "Run",
                subcommands: [
                    ServeCommand.self, MigrateCommand.self, CheckCommand.self, SweepCommand.self,
                    InstallationCommand.self, VaultCommand.self,
                ]),
        ])

    /// Runs the command. An error becomes an exit code and a message on standard error.
    static func main() async {
        Terminal.closeEnvironment()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let problem = DashedID.problem(in: arguments) {
            Terminal.tell(problem)
            Foundation.exit(2)
        }
        do {
            var command = try await self.asyncParseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Self.end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        switch error {
        case let code as ExitCode: Foundation.exit(code.rawValue)
        default:
            let code = Self.exitCode(for: error)
            if code == .success {
                Terminal.show(Self.fullMessage(for: error))
                Foundation.exit(0)
            }
            let isUsage = code == .validationFailure
            let message = isUsage ? Self.fullMessage(for: error) : "dialtone: \(error)"
            let arguments = Array(CommandLine.arguments.dropFirst())
            // Behind -- it would be an id.
            let isForProgram = arguments.prefix { $0 != "--" }.contains("--json") && !isUsage
            Terminal.tell(isForProgram ? CommandEnd.problem(error) : message)
            if isUsage, let hint = DashedID.hint(for: message, arguments) ?? NearestCommand.hint(for: arguments) {
                Terminal.tell(hint)
            }
            Foundation.exit(isUsage ? 2 : CommandEnd.code(of: error))
        }
    }
}
