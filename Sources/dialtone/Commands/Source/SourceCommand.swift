// SPDX-License-Identifier: Apache-2.0
// `dialtone source`: makes and shows the sources that may send sign-ups, and changes their secrets.

import ArgumentParser
import Composition
import Model

struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Senders of sign-up webhooks.",
        subcommands: [Create.self, List.self, Rotate.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a source; shows its URL and, once, its secret.",
            discussion: """
                  dialtone source create acme-app --tenant acme --preset standard
                  dialtone source create platform --allow acme,globex      one sender for several tenants
                """)

        @Argument(help: "A name for the source, such as acme-app.") var source: String
        @Option(help: "The tenant it signs users up for.") var tenant: String?
        @Option(help: "Several tenants it may name in data.tenant_id, separated by commas.") var allow: String?
        @Option(help: "How it signs: standard (Standard Webhooks).") var preset = "standard"
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (self.tenant == nil) != (self.allow == nil) else {
                throw ValidationError("give either --tenant or --allow")
            }
        }

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            let allowed = try self.allow.map { try $0.split(separator: ",").map { try TenantID(String($0)) } } ?? []
            let line = try await Administration(try await Settings.read()).createSource(
                self.source, tenant: tenant, allowed: allowed, preset: self.preset)
            if self.json { return try Terminal.show(json: line) }
            Terminal.show(
                "source \(line.source) created\n  url     \(line.url)\n  secret  \(line.secret)  (shown this once)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists sources.")
        @Option(help: "Only this tenant's.") var tenant: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            try Terminal.show(
                try await Administration(try await Settings.read()).sources(tenant: tenant), json: self.json)
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a source a new secret and shows it once; the old one is accepted for a while.",
            discussion: "  dialtone source rotate acme-app --tenant acme --overlap-hours 24")

        @Argument(help: "The name of the source.") var source: String
        @Option(help: "The tenant it signs users up for; none for a source of several tenants.") var tenant: String?
        @Option(help: "Hours the old secrets are still accepted: 0 to 168.") var overlapHours = 24
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (0...168).contains(self.overlapHours) else {
                throw ValidationError("--overlap-hours must be between 0 and 168")
            }
        }

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            let line = try await Administration(try await Settings.read()).rotateSource(
                self.source, tenant: tenant, overlap: .seconds(self.overlapHours * 3600))
            if self.json { return try Terminal.show(json: line) }
            Terminal.show(
                """
                source \(line.source) has a new secret; it is accepted within 5 seconds
                  url     \(line.url)
                  secret  \(line.secret)  (shown this once)
                """
            )
        }
    }
}
