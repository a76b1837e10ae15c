// SPDX-License-Identifier: Apache-2.0
// How a command that reads gets its answers: from a running service with a key, or from the database.

import ArgumentParser
import Composition
import Directory
import Foundation
import Model

struct AskedBy: ParsableArguments {
    @Option(help: "The service's URL. Default: DIALTONE_URL.") var url: String?
    @Option(
        help: "A service that dialtone login has kept. It wins over DIALTONE_URL.",
        completion: .custom { _, _, _ in await LiveValues.profiles() })
    var profile: String?
    @Flag(help: "Print JSON.") var json = false

    /// Asks one question. The line on standard error says which way was taken.
    func ask<Value: Sendable>(
        _ work: (any Questions, TenantID?) async throws -> Value
    ) async throws -> Value {
        try await self.door().ask(work)
    }

    /// Asks how the installation is set up. The line on standard error says which way was taken.
    func askOfSetUp<Value: Sendable>(
        _ work: (any SetUpQuestions) async throws -> Value
    ) async throws -> Value {
        try await self.door().askOfSetUp(work)
    }

    private func door() async throws -> Door {
        let door = try await Door.choose(
            Door.Signs(url: self.url, profile: self.profile), environment: SecretVariables.environment,
            settings: { try await Settings.read() })
        Terminal.tell(door.words)
        return door
    }
}

/// The same about one tenant.
struct AskedOfTenant: ParsableArguments {
    @OptionGroup var by: AskedBy
    @Option(
        help: "The tenant. Default: DIALTONE_TENANT, the profile's, or the key's own.",
        completion: .custom { words, _, _ in await LiveValues.tenants(words) })
    var tenant: String?

    var json: Bool { self.by.json }

    func ask<Value: Sendable>(_ work: (any Questions, TenantID) async throws -> Value) async throws -> Value {
        let named = try self.tenant.map { try TenantID($0) }
        return try await self.by.ask { questions, usual in
            var tenant = named ?? usual
            if tenant == nil { tenant = try await Self.only(questions) }
            guard let tenant else {
                throw InvalidValue("--tenant", "is needed: there are several tenants, or none")
            }
            return try await work(questions, tenant)
        }
    }

    /// A tenant's key sees one tenant, which is its own.
    private static func only(_ questions: any Questions) async throws -> TenantID? {
        let tenants = try await questions.tenants()
        return tenants.count == 1 ? TenantID(rawValue: tenants[0].tenant) : nil
    }
}

/// The same about one user.
struct AskedOfUser: ParsableArguments {
    @OptionGroup var of: AskedOfTenant
    @Argument(
        help: "The user's id.", completion: .custom { words, _, prefix in await LiveValues.users(words, prefix) })
    var user: String

    var json: Bool { self.of.json }

    func ask<Value: Sendable>(_ work: (any Questions, UserKey) async throws -> Value) async throws -> Value {
        let user = try UserID(existing: self.user)
        return try await self.of.ask { questions, tenant in
            try await work(questions, UserKey(tenant: tenant, user: user))
        }
    }
}
