// SPDX-License-Identifier: Apache-2.0
// The operator's calls on tenants, the sources that sign users up for them, and API keys.

import Access
import Directory
import Foundation
import Intake
package import Model

extension Administration {
    // MARK: Tenants

    package func createTenant(_ id: TenantID, connectionID: String?) async throws -> TenantLine {
        guard let connectionID = connectionID ?? self.settings.connectionID else {
            throw InvalidValue("connection-id", "is needed: give --connection-id or set TELNYX_CONNECTION_ID")
        }
        return TenantLine(
            try await self.withPool { try await Tenants(pool: $0).create(id, connectionID: connectionID) })
    }

    package func tenants() async throws -> [TenantLine] {
        try await self.withPool { try await Tenants(pool: $0).list() }.map(TenantLine.init)
    }

    package func tenant(_ id: TenantID) async throws -> TenantLine? {
        try await self.withPool { try await Tenants(pool: $0).show(id) }.map(TenantLine.init)
    }

    // MARK: Sources

    /// Makes a source. `configuration` and `secret` are a file's bytes: the mapping, and a secret that the sender has
    /// made.
    package func createSource(
        _ slug: String, tenant: TenantID?, allowed: [TenantID], preset: String?, configuration: [UInt8]? = nil,
        secret: [UInt8]? = nil
    ) async throws -> NewSourceLine {
        let source = try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).create(
                slug: slug, tenant: tenant, allowedTenants: allowed, preset: preset, configuration: configuration,
                secret: secret)
        }
        return self.line(source, tenant)
    }

    /// Gives a source a new secret, or one that its sender has made. The old secrets are accepted for `overlap`.
    package func rotateSource(
        _ slug: String, tenant: TenantID?, overlap: Duration, secret: [UInt8]? = nil
    ) async throws -> NewSourceLine {
        let source = try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).rotate(
                slug: slug, tenant: tenant, overlap: overlap, secret: secret)
        }
        return self.line(source, tenant)
    }

    package func sources(tenant: TenantID?) async throws -> [SourceLine] {
        try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).list(tenant: tenant)
        }.map { SourceLine($0, url: self.hookURL($0.hookID)) }
    }

    private func line(_ source: NewSource, _ tenant: TenantID?) -> NewSourceLine {
        NewSourceLine(
            source: source.slug, tenant: tenant?.rawValue, url: self.hookURL(source.hookID),
            secret: source.secret?.reveal(), warning: source.warning?.description)
    }

    /// All presets there are, for a help text.
    package static var presetNames: String { Presets.names.joined(separator: ", ") }

    // MARK: The mapping table of a source

    /// Maps an organisation of a source to a tenant; with `target` nil what is said of it is ignored.
    package func mapOrganization(
        _ organization: String, to target: TenantID?, of slug: String, tenant: TenantID?
    ) async throws {
        try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).map(
                organization, to: target, slug: slug, tenant: tenant)
        }
    }

    package func unmapOrganization(_ organization: String, of slug: String, tenant: TenantID?) async throws {
        try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).unmap(
                organization, slug: slug, tenant: tenant)
        }
    }

    package func mappedOrganizations(of slug: String, tenant: TenantID?) async throws -> [OrganizationLine] {
        try await self.withParts { parts in
            try await SourceRegistry(pool: parts.pool, vault: parts.vault).map(slug: slug, tenant: tenant)
        }.map(OrganizationLine.init)
    }

    private func hookURL(_ hookID: String) -> String {
        // A service that listens on all addresses is reached at one of them. No sender can use "all addresses".
        let host = ["0.0.0.0", "::"].contains(self.settings.listenHost) ? "127.0.0.1" : self.settings.listenHost
        let shown = host.contains(":") ? "[\(host)]" : host
        let base = self.settings.publicURL ?? "http://\(shown):\(self.settings.listenPort)"
        return "\(base)/v1/hooks/\(hookID)"
    }

    // MARK: API keys

    /// Makes a key for one tenant, or with `tenant` nil for the operator.
    package func createKey(tenant: TenantID?, scopes: [Scope]) async throws -> NewKeyLine {
        let (id, text) = try await self.withPool { pool in
            if let tenant, try await Tenants(pool: pool).show(tenant) == nil { throw SourceError.unknownTenant(tenant) }
            return try await APIKeys(pool: pool).create(tenant: tenant, scopes: scopes)
        }
        return NewKeyLine(key: text.reveal(), key_id: id, tenant: tenant?.rawValue, scopes: scopes.map(\.rawValue))
    }

    package func keys(tenant: TenantID?) async throws -> [KeyLine] {
        try await self.withPool { try await APIKeys(pool: $0).list(tenant: tenant) }.map(KeyLine.init)
    }

    /// Returns whether there was such a key in force.
    package func revokeKey(_ id: String) async throws -> Bool {
        try await self.withPool { try await APIKeys(pool: $0).revoke(id) }
    }

    /// All scopes there are, for a help text.
    package static var scopeNames: String { Scope.allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads scopes that are separated by commas.
    package static func scopes(_ text: String) throws -> [Scope] { try Scope.list(text) }
}
