// SPDX-License-Identifier: Apache-2.0
// `dialtone demo`: shows the whole story with nothing to set up.

import ArgumentParser
import Composition

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Shows the whole story on this machine, with a database and a provider of its own.",
        discussion: """
            Starts a private PostgreSQL, a simulated provider and the service; signs and sends sign-ups for two \
            tenants; shows every user's credential and one login token; then stays up for you to try it. Ctrl-C ends \
            it.
            """)

    @Flag(help: "End after the table.") var once = false
    @Flag(help: "Print one JSON object instead of the table.") var json = false
    @Option(help: "How many users sign up, over both tenants.") var users = 12
    @Option(help: "Where the database is kept.") var dataDir = ".dialtone/demo"
    @Option(help: "Where to listen, as host:port. Default: 127.0.0.1:8080, or any free port.") var listen: String?

    func validate() throws {
        guard (1...100_000).contains(self.users) else { throw ValidationError("--users must be from 1 to 100000") }
        if let listen, Settings.address(listen) == nil { throw ValidationError("--listen must be host:port") }
    }

    func run() async throws {
        var options = Demo.Options()
        options.users = self.users
        options.folder = self.dataDir
        options.listen = self.listen
        let (once, json, chosen) = (self.once, self.json, options)
        try await Interruption.run { interruption in
            try await Demo(chosen, progress: { Terminal.tell($0) }).run { report in
                if json { try Terminal.show(json: DemoOutput(report)) } else { DemoTable.show(report) }
                guard report.isComplete else { throw DemoError.incomplete }
                if !once {
                    if !json { DemoTable.showWhatToTry(report) }
                    await interruption.wait()
                    Terminal.tell("stopping; the data stays in \(chosen.folder)")
                }
            }
        }
    }
}
