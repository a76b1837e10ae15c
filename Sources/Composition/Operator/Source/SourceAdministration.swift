// SPDX-License-Identifier: Apache-2.0
// The operator's calls on sources: what makes, changes, stops and lists them, and the table of their organisations.

import Intake
package import Model

extension Administration {
    /// Makes a source. `configuration` and `secret` are a file's bytes: the mapping, and a secret that the sender has
    /// made. `keepsNames`: what its people are called is kept.
    package func createSource(
        _ slug: String, tenant: TenantID?, allowed: [TenantID], preset: String?, configuration: [UInt8]? = nil,
        secret: [UInt8]? = nil, keepsNames: Bool = false
    ) async throws -> NewSourceLine {
        let source = try await self.withSources {
            try await $0.create(
                slug: slug, tenant: tenant, allowedTenants: allowed, preset: preset, configuration: configuration,
                secret: secret, keepsNames: keepsNames)
        }
        return self.line(source)
    }

    /// Gives a source a new secret, or one that its sender has made. The old secrets are accepted for `overlap`.
    package func rotateSource(
        _ slug: String, tenant: TenantID?, overlap: Duration, secret: [UInt8]? = nil
    ) async throws -> NewSourceLine {
        let source = try await self.withSources {
            try await $0.rotate(slug: slug, tenant: tenant, overlap: overlap, secret: secret)
        }
        return self.line(source)
    }

    package func sources(tenant: TenantID?) async throws -> [SourceLine] {
        try await self.withSources { try await $0.list(tenant: tenant) }
            .map { SourceLine($0, url: self.hookURL($0.hookID)) }
    }

    private func line(_ source: NewSource) -> NewSourceLine {
        NewSourceLine(
            source: source.slug, tenant: source.tenant?.rawValue, url: self.hookURL(source.hookID),
            secret: source.secret?.reveal(), setup: source.setup, warning: source.warning)
    }

    /// All presets there are, for a help text.
    package static var presetNames: String { Presets.names.joined(separator: ", ") }

    // MARK: Changes

    /// Gives a source another configuration or other tenants that it may name, or changes whether it keeps names.
    package func updateSource(
        _ slug: String, tenant: TenantID?, configuration: [UInt8]?, allowed: [TenantID]?, keepsNames: Bool? = nil
    ) async throws -> ChangedSourceLine {
        let updated = try await self.withSources {
            try await $0.update(
                slug: slug, tenant: tenant, configuration: configuration, allowedTenants: allowed,
                keepsNames: keepsNames)
        }
        return ChangedSourceLine(
            source: slug, tenant: tenant?.rawValue, status: nil, config_version: updated.version,
            changed: updated.isChanged)
    }

    package func disableSource(_ slug: String, tenant: TenantID?) async throws -> ChangedSourceLine {
        let isChanged = try await self.withSources { try await $0.disable(slug: slug, tenant: tenant) }
        return ChangedSourceLine(
            source: slug, tenant: tenant?.rawValue, status: "disabled", config_version: nil, changed: isChanged)
    }

    package func enableSource(_ slug: String, tenant: TenantID?) async throws -> ChangedSourceLine {
        let isChanged = try await self.withSources { try await $0.enable(slug: slug, tenant: tenant) }
        return ChangedSourceLine(
            source: slug, tenant: tenant?.rawValue, status: "active", config_version: nil, changed: isChanged)
    }

    /// Says what a deletion would take away.
    package func belongingsOfSource(_ slug: String, tenant: TenantID?) async throws -> SourceBelongingsLine {
        SourceBelongingsLine(
            try await self.withSources { try await $0.belongings(slug: slug, tenant: tenant) }, of: slug)
    }

    package func deleteSource(_ slug: String, tenant: TenantID?) async throws -> ChangedSourceLine {
        try await self.withSources { try await $0.delete(slug: slug, tenant: tenant) }
        return ChangedSourceLine(
            source: slug, tenant: tenant?.rawValue, status: "deleted", config_version: nil, changed: true)
    }

    // MARK: The mapping table of a source

    /// Maps an organisation of a source to a tenant; with `target` nil what is said of it is ignored. Returns what was
    /// done, in words.
    package func mapOrganization(
        _ organization: String, to target: TenantID?, of slug: String, tenant: TenantID?
    ) async throws -> String {
        try await self.withSources {
            Self.said(of: organization, target, try await $0.map(organization, to: target, slug: slug, tenant: tenant))
        }
    }

    /// Maps the organisations of a file, in its order. Returns what became of each. The first that is refused ends it;
    /// to run the file again is safe.
    package func mapOrganizations(
        inFile bytes: [UInt8], of slug: String, tenant: TenantID?
    ) async throws -> [String] {
        let file = try OrganizationFile(bytes)
        return try await self.withSources { sources in
            var told: [String] = []
            for entry in file.entries {
                do {
                    let addition = try await sources.map(
                        entry.organization, to: entry.target, slug: slug, tenant: tenant)
                    told.append(Self.said(of: entry.organization, entry.target, addition))
                } catch let error where error is SourceError || error is InvalidValue {
                    throw InvalidValue("--file", "line \(entry.line): \(error)")
                }
            }
            return told
        }
    }

    private static func said(of organization: String, _ target: TenantID?, _ addition: MapAddition) -> String {
        let state = target.map { "is tenant \($0)" } ?? "is ignored"
        return switch addition {
        case .added: "\(organization) \(state)"
        case .known: "\(organization) \(state) already"
        case .restored: "\(organization) \(state) again"
        }
    }

    package func unmapOrganization(_ organization: String, of slug: String, tenant: TenantID?) async throws {
        try await self.withSources { try await $0.unmap(organization, slug: slug, tenant: tenant) }
    }

    package func mappedOrganizations(of slug: String, tenant: TenantID?) async throws -> [OrganizationLine] {
        try await self.withSources { try await $0.map(slug: slug, tenant: tenant) }.map(OrganizationLine.init)
    }

    func withSources<Value: Sendable>(_ work: (SourceRegistry) async throws -> Value) async throws -> Value {
        try await self.withParts { try await work(SourceRegistry(pool: $0.pool, vault: $0.vault)) }
    }

    private func hookURL(_ hookID: String) -> String {
        // A service that listens on all addresses is reached at one of them. No sender can use "all addresses".
        let host = ["0.0.0.0", "::"].contains(self.settings.listenHost) ? "127.0.0.1" : self.settings.listenHost
        let shown = host.contains(":") ? "[\(host)]" : host
        let base = self.settings.publicURL ?? "http://\(shown):\(self.settings.listenPort)"
        return "\(base)/v1/hooks/\(hookID)"
    }
}
