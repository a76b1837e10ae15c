// SPDX-License-Identifier: Apache-2.0
// `dialtone key`: makes, shows and revokes the API keys that apps use.

import ArgumentParser
import Composition
import Model

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
            let line = try await Acting.administration().createKey(tenant: tenant, scopes: scopes)
            if self.json { return try Terminal.show(json: line) }
            Terminal.show("key \(line.key_id) created\n  \(line.key)  (shown this once)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists keys, without their secrets.")
        @OptionGroup var asked: AskedBy
        @Option(
            help: "Only this tenant's. Default: all that the key reaches.",
            completion: .custom { words, _, _ in await LiveValues.tenants(words) })
        var tenant: String?
        @OptionGroup var picked: Fields

        func run() async throws {
            let tenant = try self.tenant.map { try TenantID($0) }
            let keys = try await self.asked.askOfSetUp { try await $0.keys(tenant: tenant) }
            try Terminal.show(keys, json: self.asked.json, fields: self.picked)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes a key; effective within a second.")
        @Argument(help: "The key's id: the part between dtk_ and the second underscore.") var key: String

        func run() async throws {
            guard try await Acting.administration().revokeKey(self.key) else {
                throw NotFound(what: "key \(self.key) in force")
            }
            Terminal.show("key \(self.key) revoked")
        }
    }
}
