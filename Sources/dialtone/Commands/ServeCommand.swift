// SPDX-License-Identifier: Apache-2.0
// `dialtone serve`, `dialtone migrate` and `dialtone check`: running it.

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

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the database's schema up to date.",
        discussion: "Safe to run at any time and from several places at once; each migration is one transaction.")

    @Flag(help: "Only show where each migration stands.") var status = false
    @Flag(help: "Only show what would be applied.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let administration = Administration(try await Settings.read())
        if self.status {
            return try Terminal.show(try await administration.migrations(), json: self.json)
        }
        let applied = try await administration.migrate(dryRun: self.dryRun)
        if self.json { return try Terminal.show(applied, json: true) }
        for migration in applied {
            Terminal.show("\(self.dryRun ? "would apply" : "applied") \(migration.version) \(migration.name)")
        }
        if applied.isEmpty { Terminal.show("nothing to do: the schema is up to date") }
    }
}

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Tries settings and database, and with --provider the provider's key and connections; creates nothing.")

    @Flag(help: "Also ask the provider.") var provider = false
    @Option(help: "Only ask the service that runs at this address, host:port or a URL, whether it is ready.")
    var ready: String?
    @Flag(help: "Print JSON.") var json = false

    private struct Line: Encodable {
        var check: String
        var ok: Bool
        var problem: String?
    }

    func run() async throws {
        let lines = try await self.tried().map { Line(check: $0.name, ok: $0.problem == nil, problem: $0.problem) }
        if self.json {
            try Terminal.show(json: Listing(data: lines, next: nil))
        } else {
            for line in lines {
                Terminal.show(line.ok ? "ok      \(line.check)" : "FAILED  \(line.check): \(line.problem ?? "")")
            }
        }
        guard lines.allSatisfy(\.ok) else { throw ExitCode(1) }
    }

    private func tried() async throws -> [(name: String, problem: String?)] {
        if let ready { return [("service at \(ready)", try await Probe.readiness(of: ready))] }
        return try await Administration(try await Settings.read()).check(provider: self.provider)
    }
}

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
