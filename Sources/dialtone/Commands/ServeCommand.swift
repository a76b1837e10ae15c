// SPDX-License-Identifier: Apache-2.0
// `dialtone serve`: runs the service until a signal stops it.

import ArgumentParser
import Composition
import Model

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the service: takes webhooks in, makes credentials, hands out tokens.",
        discussion: """
            Any number of processes may share one database. Stops gracefully on SIGTERM and SIGINT.

              dialtone serve                     both roles
              dialtone serve --roles api         webhooks and API only
              dialtone serve --roles worker      the worker only
            """)

    @Option(help: "api, worker, or both separated by a comma.") var roles = "api,worker"
    @Option(help: "Where to listen, as host:port; port 0 picks one. Overrides DIALTONE_LISTEN.") var listen: String?

    @Option(help: "How long to wait for a database that is not there yet. Overrides DIALTONE_WAIT_FOR_DATABASE.")
    var waitForDatabase: String?

    func run() async throws {
        var roles: Set<Role> = []
        for name in self.roles.split(separator: ",") {
            guard let role = Role(rawValue: String(name)) else {
                throw InvalidValue("--roles", "must be api, worker, or api,worker")
            }
            roles.insert(role)
        }
        guard !roles.isEmpty else { throw InvalidValue("--roles", "must be api, worker, or api,worker") }
        let flags = ["DIALTONE_LISTEN": self.listen, "DIALTONE_WAIT_FOR_DATABASE": self.waitForDatabase]
        let settings = try await Settings.read(flags: flags.compactMapValues { $0 })
        try await Serve.run(settings, roles: roles) { Terminal.show($0.text) }
    }
}
