// SPDX-License-Identifier: Apache-2.0
// Makes sources and rotates their secrets. A secret is shown once, when it is made, and kept sealed.

import Foundation
package import Model
package import Postgres
package import Vault

/// An operator's access to sources.
package struct SourceRegistry: Sendable {
    let pool: PostgresPool
    let vault: Vault

    package init(pool: PostgresPool, vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// Makes a source. It belongs to one tenant, names one of several in each delivery, or comes to them by a table.
    ///
    /// `preset` nil: the configuration names one, or says everything itself; without either it is `standard`. `secret`
    /// is one that the sender has made, as a file holds it; nil: one is made here, where the proofs need one.
    /// `keepsNames`: what its people are called is kept. Throws `InvalidValue`, with the place, for a configuration that
    /// does not compile.
    package func create(
        slug: String, tenant: TenantID?, allowedTenants: [TenantID], preset: String? = nil,
        configuration: [UInt8]? = nil, secret given: [UInt8]? = nil, keepsNames: Bool = false
    ) async throws -> NewSource {
        guard TenantID(rawValue: slug) != nil else {
            throw InvalidValue(
                "source", "must be 1 to 63 characters of a-z, 0-9 and '-', and start with a letter or digit")
        }
        let preset = try Self.preset(preset, configuration)
        let terms = try SourceTerms(preset: preset, configuration, tenant: tenant, allowed: allowedTenants)
        let secret = try NewSecret(given, for: terms.proofs)
        let id = SourceID(rawValue: UUID())
        let hookID = "hk_\(Self.random(20, alphabet: Self.base32))"
        let scope = terms.tenant?.rawValue ?? "-"
        let sealed = try await secret?.sealed(by: self.vault, of: id, scope)
        do {
            try await self.pool.withTransaction { connection in
                try await Self.requireTenants(terms.allowed, on: connection)
                _ = try await connection.query(
                    """
                    insert into dialtone.sources (source_id, tenant_id, allowed_tenants, slug, hook_id, preset,
                                                  is_tracked, keeps_names, signs_time, config)
                    values (\(id), \(terms.tenant), \(terms.allowed), \(slug), \(hookID), \(preset),
                            \(terms.isTracked), \(keepsNames), \(terms.proofs.signsTime),
                            \(configuration.map { String(decoding: $0, as: UTF8.self) })::json)
                    """)
                if let sealed { _ = try await connection.query(sealed.insert) }
            }
        } catch let error as PostgresError {
            throw Self.refusal(error, slug: slug, tenant: terms.tenant)
        }
        return NewSource(
            id: id, slug: slug, tenant: terms.tenant, hookID: hookID, secret: secret?.shown,
            warning: secret?.warning?.description ?? terms.warning(of: slug, hasGivenSecret: given != nil),
            setup: terms.setup?.text)
    }

    /// Returns the preset that the source is made with: the one that is named, or that of the configuration.
    private static func preset(_ named: String?, _ configuration: [UInt8]?) throws -> String {
        if let named {
            let isKnown = Presets.names.contains(named) || named == SourceConfiguration.custom && configuration != nil
            guard isKnown else { throw SourceError.unknownPreset(named) }
            return named
        }
        guard let configuration else { return SourceTerms.canonical }
        return try SourceConfiguration(configuration).preset ?? SourceConfiguration.custom
    }

    /// Refuses tenants that do not exist. The column is an array, which no foreign key can check.
    static func requireTenants(_ tenants: [TenantID], on connection: PostgresConnection) async throws {
        let known = try await connection.query(
            "select tenant_id from dialtone.tenants where tenant_id = any(\(tenants))"
        ).map { try $0.decode(String.self) }
        if let stranger = tenants.first(where: { !known.contains($0.rawValue) }) {
            throw SourceError.unknownTenant(stranger)
        }
    }

    /// Returns the reason why an insert was refused: the slug is taken (unique index sources_slug), or the tenant does
    /// not exist (SQLSTATE 23503, foreign_key_violation).
    private static func refusal(_ error: PostgresError, slug: String, tenant: TenantID?) -> any Error {
        if error.isUniqueViolation { return SourceError.slugTaken(slug) }
        if error.sqlState == "23503", let tenant { return SourceError.unknownTenant(tenant) }
        return error
    }

    /// Gives a source a new secret, or with `secret` one that the sender has made. The older ones are accepted for
    /// `overlap` longer, so that the sender can change over. A secret that already has an end keeps the earlier one.
    /// Throws `InvalidValue` for a secret with which the source could not be read, beside those in force or alone. When
    /// somebody else has rotated or changed the source beside it, this throws `changedMeanwhile`.
    package func rotate(
        slug: String, tenant: TenantID?, overlap: Duration, secret given: [UInt8]? = nil
    ) async throws -> NewSource {
        let source = try await self.find(slug, tenant)
        let (terms, scope) = (try source.terms, source.scope)
        guard let secret = try NewSecret(given, for: terms.proofs) else { throw SourceError.needsNoSecret(slug) }
        let known = try await self.newestSecrets(of: source)
        try await self.requireProofs(terms, of: source.id, scope, with: secret, overlap: overlap)
        // The secret is sealed for its source, and before the transaction: the vault may need a connection of its own.
        let sealed = try await secret.sealed(by: self.vault, of: source.id, scope)
        try await self.pool.withTransaction { connection in
            // The secret fits the proofs and the secrets that were looked at.
            try await Self.lock(source, slug, known, on: connection)
            _ = try await connection.query(
                """
                update dialtone.source_secrets
                set expires_at = least(expires_at, clock_timestamp() + \(overlap))
                where source_id = \(source.id)
                """)
            _ = try await connection.query(sealed.insert)
        }
        return NewSource(
            id: source.id, slug: slug, tenant: source.tenant, hookID: source.hookID, secret: secret.shown,
            warning: secret.warning?.description ?? terms.warning(of: slug, hasGivenSecret: given != nil),
            setup: secret.shown == nil ? nil : terms.setup?.text)
    }

    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567")

    private static func random(_ count: Int, alphabet: [Character]) -> String {
        String(NewSecret.bytes(count).map { alphabet[Int($0) % alphabet.count] })
    }
}
