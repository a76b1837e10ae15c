// SPDX-License-Identifier: Apache-2.0
// `dialtone tenant`, `dialtone source`, `dialtone key`: who may send sign-ups, for whom, and who may ask.

import ArgumentParser
import Composition
import Model

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Customer organisations.", subcommands: [Create.self, List.self, Show.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a tenant.",
            discussion: "  dialtone tenant create acme --connection-id 1234567890")

        @Argument(help: "The tenant's slug, such as acme.") var tenant: String
        @Option(help: "The Telnyx connection its credentials belong to. Default: TELNYX_CONNECTION_ID.")
        var connectionId: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let id = try TenantID(self.tenant)
            let line = try await Administration(try await Settings.read()).createTenant(
                id, connectionID: self.connectionId)
            if self.json { try Terminal.show(json: line) } else { Terminal.show("tenant \(line.tenant) created") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tenants.")
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try Terminal.show(try await Administration(try await Settings.read()).tenants(), json: self.json)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one tenant.")
        @Argument(help: "The tenant's slug.") var tenant: String
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let id = try TenantID(self.tenant)
            guard let tenant = try await Administration(try await Settings.read()).tenant(id) else {
                throw NotFound(what: "tenant \(id)")
            }
            if self.json { return try Terminal.show(json: tenant) }
            try Terminal.show([tenant], json: false)
        }
    }
}

struct NotFound: Error, CustomStringConvertible {
    let what: String
    var description: String { "there is no \(self.what)" }
}

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

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys.", subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an API key and shows it once.",
            discussion: "  dialtone key create --tenant acme --scopes users:read,login-tokens:create")

        @Option(help: "The tenant it is for.") var tenant: String?
        @Flag(help: "A key for the operator: every tenant, every scope unless --scopes says fewer.") var `operator` =
            false
        @Option(help: "What it may do, separated by commas: \(Administration.scopeNames).") var scopes: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (self.tenant != nil) != self.operator else {
                throw ValidationError("give either --tenant or --operator")
            }
            guard self.operator || self.scopes != nil else { throw ValidationError("give --scopes") }
        }

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            let scopes = try self.scopes.map { try Administration.scopes($0) } ?? Scope.allCases
            let line = try await Administration(try await Settings.read()).createKey(tenant: tenant, scopes: scopes)
            if self.json { return try Terminal.show(json: line) }
            Terminal.show("key \(line.key_id) created\n  \(line.key)  (shown this once)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists keys, without their secrets.")
        @Option(help: "Only this tenant's.") var tenant: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            try Terminal.show(try await Administration(try await Settings.read()).keys(tenant: tenant), json: self.json)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes a key; effective within a second.")
        @Argument(help: "The key's id: the part between dtk_ and the second underscore.") var key: String

        func run() async throws {
            guard try await Administration(try await Settings.read()).revokeKey(self.key) else {
                throw NotFound(what: "key \(self.key) in force")
            }
            Terminal.show("key \(self.key) revoked")
        }
    }
}
