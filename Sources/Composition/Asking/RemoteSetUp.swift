// SPDX-License-Identifier: Apache-2.0
// Asks a running service how its installation is set up, with the rights of a key.

import Foundation
import Model

struct RemoteSetUp: SetUpQuestions {
    let api: ServiceAPI

    private struct Page<Element: Decodable & Sendable>: Decodable {
        var data: [Element]
        var next: String?
    }

    func tenant(_ id: TenantID) async throws -> TenantLine? {
        try await self.api.call(TenantLine.self, "/v1/tenants/\(id)")
    }

    /// A service that does not know where senders reach it shows no URL: then it is the one that was asked.
    func sources(tenant: TenantID?) async throws -> [SourceLine] {
        try await self.all(SourceLine.self, "sources", of: tenant).map { source in
            var line = source
            line.url = source.url ?? "\(self.api.address.base)/v1/hooks/\(source.hook_id)"
            return line
        }
    }

    func keys(tenant: TenantID?) async throws -> [KeyLine] { try await self.all(KeyLine.self, "keys", of: tenant) }

    func limits() async throws -> [LimitLine] {
        let path = "/v1/limits"
        guard let page = try await self.api.call(Page<LimitLine>.self, path) else {
            throw NotReached(path: path, isOperators: true)
        }
        return page.data
    }

    /// Reads every page of a list.
    private func all<Element: Decodable & Sendable>(
        _ type: Element.Type, _ name: String, of tenant: TenantID?
    ) async throws -> [Element] {
        let path = tenant.map { "/v1/tenants/\($0)/\(name)" } ?? "/v1/\(name)"
        var all: [Element] = []
        var after: String?
        repeat {
            let query = [("limit", "200"), ("after", after)]
            guard let page = try await self.api.call(Page<Element>.self, path, query) else {
                if let tenant { throw TenantNotReached(tenant: tenant) }
                throw NotReached(path: path, isOperators: false)
            }
            all += page.data
            after = page.next
        } while after != nil
        return all
    }
}

/// To this key the path does not exist.
package struct NotReached: Error, CustomStringConvertible {
    let path: String
    /// Whether the path is for operators alone.
    let isOperators: Bool
    package var description: String {
        let key = self.isOperators ? "an operator's key, or " : ""
        return "the service has no \(self.path) for this key: it needs \(key)a later version of the service"
    }
}
