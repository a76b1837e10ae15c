// SPDX-License-Identifier: Apache-2.0
// What a shell offers when Tab is pressed: tenants, sources and users as they are now.

import Composition
import Directory
import Foundation
import Model

/// A completion that cannot be read in time offers nothing, and says nothing.
enum LiveValues {
    private static let patience: Duration = .seconds(2)

    static func tenants() async -> [String] {
        await self.offered { questions, _ in try await questions.tenants().map(\.tenant) }
    }

    static func users(_ prefix: String) async -> [String] {
        await self.offered { questions, tenant in
            var filter = UserFilter()
            filter.prefix = prefix.isEmpty ? nil : prefix
            guard let tenant = try await self.tenant(tenant, questions) else { return [] }
            return try await questions.users(UserList(of: tenant, filter), after: nil, limit: 50).data.map(\.userID)
        }
    }

    private static func tenant(_ usual: TenantID?, _ questions: any Questions) async throws -> TenantID? {
        if let usual { return usual }
        let words = CommandLine.arguments
        if let place = words.firstIndex(of: "--tenant"), words.indices.contains(place + 1) {
            return TenantID(rawValue: words[place + 1])
        }
        let tenants = try await questions.tenants()
        return tenants.count == 1 ? TenantID(rawValue: tenants[0].tenant) : nil
    }

    private static func offered(
        _ read: @escaping @Sendable (any Questions, TenantID?) async throws -> [String]
    ) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            group.addTask {
                let door = try? await Door.choose(
                    Door.Signs(), environment: SecretVariables.environment, settings: { try await Settings.read() })
                return (try? await door?.ask(read)) ?? []
            }
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
