// SPDX-License-Identifier: Apache-2.0
// `dialtone tenant`: makes and shows the tenants whose users get credentials.

import ArgumentParser
import Composition
import Model

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Customer organisations.",
        subcommands: [
            Create.self, Update.self, List.self, Show.self, TagsCommand.self, FindingsCommand.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a tenant.",
            discussion: "  dialtone tenant create acme --connection-id 1234567890")

        @Argument(help: "The tenant's slug, such as acme.") var tenant: String
        @Option(help: "The Telnyx connection its credentials belong to. Default: TELNYX_CONNECTION_ID.")
        var connectionId: String?
        @Option(help: "How long its credentials are to live, such as 90d. Default: as long as the provider lets them.")
        var credentialLife: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let id = try TenantID(self.tenant)
            let life = try self.credentialLife.flatMap { try Administration.credentialLife($0) }
            let line = try await Acting.administration().createTenant(
                id, connectionID: self.connectionId, life: life)
            if self.json { try Terminal.show(json: line) } else { Terminal.show("tenant \(line.tenant) created") }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a tenant's connection, or how long its later credentials are to live.",
            discussion: """
                With another connection, users who wait or have failed are tried again at once. Credentials that are there \
                stay with the connection they were made for; dialtone user rotate moves one.

                A life: each credential is replaced ahead of its end. Those that are there keep the end they were made with.

                  dialtone tenant update acme --connection-id 1234567890
                  dialtone tenant update acme --credential-life 90d
                """)

        @Argument(help: "The tenant's slug.") var tenant: String
        @Option(help: "The Telnyx connection that later credentials belong to.") var connectionId: String?
        @Option(help: "How long they are to live, such as 90d; none: as long as the provider lets them.")
        var credentialLife: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if self.connectionId == nil, self.credentialLife == nil {
                throw ValidationError("Give --connection-id or --credential-life.")
            }
        }

        func run() async throws {
            let id = try TenantID(self.tenant)
            let life = try self.credentialLife.map { try Administration.credentialLife($0) }
            let administration = try await Acting.administration()
            var line: TenantLine?
            if let connection = self.connectionId { line = try await administration.moveTenant(id, to: connection) }
            if let life { line = try await administration.updateTenant(id, life: life) }
            guard let line else { return }
            if self.json { return try Terminal.show(json: line) }
            Terminal.show("tenant \(line.tenant) changed")
            guard self.connectionId != nil else { return }
            Terminal.show("later credentials belong to connection \(line.connection_id); those that are there stay")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tenants: those that the key reaches.")
        @OptionGroup var asked: AskedBy
        @OptionGroup var picked: Fields

        func run() async throws {
            let tenants = try await self.asked.ask { questions, _ in try await questions.tenants() }
            try Terminal.show(tenants.map(TenantSeenLine.init), json: self.asked.json, fields: self.picked)
        }
    }

    struct TagsCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "tags", abstract: "Lists the tags of a tenant, and how full they are.")
        @OptionGroup var asked: AskedOfTenant
        @OptionGroup var page: PageOptions
        @OptionGroup var picked: Fields

        func run() async throws {
            let answer = try await self.asked.ask { questions, tenant in
                try await self.page.read { try await questions.tags(of: tenant, after: $0, limit: $1) }
            }
            try Terminal.show(
                answer.data.map(TagLine.init), next: answer.next, json: self.asked.json, fields: self.picked)
        }
    }

    struct FindingsCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "findings", abstract: "Lists what visits have found to differ at the provider.")
        @OptionGroup var asked: AskedOfTenant
        @OptionGroup var page: PageOptions
        @OptionGroup var picked: Fields

        func run() async throws {
            let answer = try await self.asked.ask { questions, tenant in
                try await self.page.read { try await questions.findings(of: tenant, after: $0, limit: $1) }
            }
            try Terminal.show(
                answer.data.map(FindingLine.init), next: answer.next, json: self.asked.json, fields: self.picked)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one tenant.")
        @OptionGroup var asked: AskedBy
        @Argument(
            help: "The tenant's slug.", completion: .custom { words, _, _ in await LiveValues.tenants(words) })
        var tenant: String

        func run() async throws {
            let id = try TenantID(self.tenant)
            guard let tenant = try await self.asked.askOfSetUp({ try await $0.tenant(id) }) else {
                throw NotFound(what: "tenant \(id)")
            }
            if self.asked.json { return try Terminal.show(json: tenant) }
            try Terminal.show([tenant], json: false)
        }
    }
}
