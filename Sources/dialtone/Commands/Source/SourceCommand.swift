// SPDX-License-Identifier: Apache-2.0
// `dialtone source`: makes and lists the sources that may send sign-ups, and rotates their secrets.

import ArgumentParser
import Composition
import Model

struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Senders of sign-up webhooks.",
        subcommands: [
            Create.self, List.self, Rotate.self, SourceUpdateCommand.self, SourceDisableCommand.self,
            SourceEnableCommand.self, SourceDeleteCommand.self, SourceMapCommand.self, SourceCheckCommand.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a source; shows its URL and, once, the secret that it has made.",
            discussion: """
                Your own back end for one tenant, one sender for several tenants, and an identity provider whose \
                organisations become tenants by a table (dialtone source map):

                  dialtone source create acme-app --tenant acme
                  dialtone source create platform --allow acme,globex
                  dialtone source create clerk --preset clerk --secret-file clerk.secret

                Without --secret-file a secret is made. Where the sender makes its own, bring that in now, or with \
                dialtone source rotate once the sender has shown it.
                """)

        @Argument(help: "A name for the source, such as acme-app.") var source: String
        @Option(help: "The tenant it signs users up for.") var tenant: String?
        @Option(help: "Several tenants it may name, separated by commas.") var allow: String?
        @Option(help: "Who sends: \(Administration.presetNames). Default: standard, or what --config says.")
        var preset: String?
        @Option(help: "A file with the mapping of its deliveries, or what is to differ from the preset.")
        var config: String?
        @Option(help: "A file that holds the secret that the sender has made; - reads standard input.")
        var secretFile: String?
        @Flag(help: "Keep the names and e-mail addresses of its people, sealed.") var keepNames = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard self.tenant == nil || self.allow == nil else {
                throw ValidationError("give either --tenant or --allow")
            }
            let isStandard = self.config == nil && (self.preset ?? "standard") == "standard"
            guard !isStandard || self.tenant != nil || self.allow != nil else {
                throw ValidationError("give either --tenant or --allow")
            }
        }

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            let allowed = try self.allow.map { try NamedSource.tenants($0) } ?? []
            let configuration = try self.config.map { try FileArgument.read($0, option: "--config") }
            let secret = try self.secretFile.map { try PastedSecret.read($0) }
            let line = try await Acting.administration().createSource(
                self.source, tenant: tenant, allowed: allowed, preset: self.preset, configuration: configuration,
                secret: secret, keepsNames: self.keepNames)
            if self.json { return try Terminal.show(json: line) }
            SourceCommand.show(line, "source \(line.source) created")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists sources.")
        @OptionGroup var asked: AskedBy
        @Option(
            help: "Only this tenant's. Default: all that the key reaches.",
            completion: .custom { words, _, _ in await LiveValues.tenants(words) })
        var tenant: String?
        @OptionGroup var picked: Fields

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            let sources = try await self.asked.askOfSetUp { try await $0.sources(tenant: tenant) }
            try Terminal.show(sources, json: self.asked.json, fields: self.picked)
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a source a new secret; the old one is accepted for a while.",
            discussion: """
                A secret is made and shown once, or the sender's own is taken from a file:

                  dialtone source rotate acme-app --tenant acme --overlap-hours 24
                  dialtone source rotate clerk --secret-file clerk.secret
                """)

        @OptionGroup var named: NamedSource
        @Option(help: "Hours the old secrets are still accepted: 0 to 168.") var overlapHours = 24
        @Option(help: "A file that holds the secret that the sender has made; - reads standard input.")
        var secretFile: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (0...168).contains(self.overlapHours) else {
                throw ValidationError("--overlap-hours must be between 0 and 168")
            }
        }

        func run() async throws {
            let tenant = try self.named.tenant
            let secret = try self.secretFile.map { try PastedSecret.read($0) }
            let line = try await Acting.administration().rotateSource(
                self.named.source, tenant: tenant, overlap: .seconds(self.overlapHours * 3600), secret: secret)
            if self.json { return try Terminal.show(json: line) }
            SourceCommand.show(line, "source \(line.source) has a new secret; it is accepted within 5 seconds")
        }
    }

    private static func show(_ line: NewSourceLine, _ what: String) {
        let secret = line.secret.map { "\n  secret  \($0)  (shown this once)" } ?? ""
        let setup = line.setup.map { "\n  sender  \($0)" } ?? ""
        Terminal.show("\(what)\n  url     \(line.url)\(secret)\(setup)")
        if let warning = line.warning { Terminal.tell("dialtone: \(warning)") }
    }
}
