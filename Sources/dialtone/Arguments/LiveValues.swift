// SPDX-License-Identifier: Apache-2.0
// What a shell offers when Tab is pressed: tenants, users, sources and profiles as they are now.

import Composition
import Directory
import Foundation
import Model

/// A completion that cannot be read in time offers nothing, and says nothing. It asks whom the command would ask.
enum LiveValues {
    private static let patience: Duration = .seconds(2)

    /// Whom a command asks.
    enum Way: Sendable {
        /// The service or the database, as the line and the environment say.
        case said
        /// The database, whatever they say.
        case database
    }

    static func tenants(_ words: [String], _ way: Way = .said) async -> [String] {
        await self.offered(SaidWords(words), way) { questions, _ in try await questions.tenants().map(\.tenant) }
    }

    static func users(_ words: [String], _ prefix: String, _ way: Way = .said) async -> [String] {
        await self.offered(SaidWords(words), way) { questions, tenant in
            var filter = UserFilter()
            filter.prefix = prefix.isEmpty ? nil : prefix
            guard let tenant = try await self.tenant(tenant, questions) else { return [] }
            return try await questions.users(UserList(of: tenant, filter), after: nil, limit: 50).data.map(\.userID)
        }
    }

    /// Those of the tenant that is meant; where none is, all that may be seen. Tenants may have sources of one name. A
    /// command that acts in the database means the tenant of its line alone.
    static func sources(_ words: [String], _ way: Way = .said) async -> [String] {
        let said = SaidWords(words)
        return await self.inTime {
            let named = said.value(of: "--tenant").flatMap { TenantID(rawValue: $0) }
            let door = try await self.door(said, way)
            let tenant = try named ?? (way == .said ? door.usualTenant : nil)
            let sources = try await door.askOfSetUp { try await $0.sources(tenant: tenant) }
            return Set(sources.map(\.source)).sorted()
        }
    }

    static func profiles() async -> [String] {
        let all = try? Profiles(environment: SecretVariables.environment)?.all()
        return (all ?? [:]).keys.sorted()
    }

    private static func tenant(_ meant: TenantID?, _ questions: any Questions) async throws -> TenantID? {
        if let meant { return meant }
        let tenants = try await questions.tenants()
        return tenants.count == 1 ? TenantID(rawValue: tenants[0].tenant) : nil
    }

    private static func door(_ said: SaidWords, _ way: Way) async throws -> Door {
        if case .database = way { return .database(try await Settings.read()) }
        return try await Door.choose(
            Door.Signs(url: said.value(of: "--url"), profile: said.value(of: "--profile")),
            environment: SecretVariables.environment, settings: { try await Settings.read() })
    }

    /// The tenant of the line wins over that of the environment or the profile.
    private static func offered(
        _ said: SaidWords, _ way: Way,
        _ read: @escaping @Sendable (any Questions, TenantID?) async throws -> [String]
    ) async -> [String] {
        await self.inTime {
            let named = said.value(of: "--tenant").flatMap { TenantID(rawValue: $0) }
            return try await self.door(said, way).ask { questions, usual in
                try await read(questions, named ?? usual)
            }
        }
    }

    private static func inTime(_ read: @escaping @Sendable () async throws -> [String]) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            group.addTask { (try? await read()) ?? [] }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return []
            }
            let first = await group.next() ?? []
            group.cancelAll()
            return first
        }
    }
}
