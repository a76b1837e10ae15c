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

    func run() async throws {
        var roles: Set<Role> = []
        for name in self.roles.split(separator: ",") {
            guard let role = Role(rawValue: String(name)) else {
                throw InvalidValue("--roles", "must be api, worker, or api,worker")
            }
            roles.insert(role)
        }
        guard !roles.isEmpty else { throw InvalidValue("--roles", "must be api, worker, or api,worker") }
        let settings = try await Settings.read(flags: self.listen.map { ["DIALTONE_LISTEN": $0] } ?? [:])
        try await Serve.run(settings, roles: roles) { address in
            Terminal.show(address.map { "{\"ready\":true,\"listen\":\"\($0)\"}" } ?? "{\"ready\":true}")
        }
    }
}
