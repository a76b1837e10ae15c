// SPDX-License-Identifier: Apache-2.0
// Makes, rotates and lists sources. A secret is shown once, when it is made, and kept sealed.

import Foundation
package import Model
package import Postgres
package import Vault

/// An operator's access to sources.
package struct SourceRegistry: Sendable {
    private let pool: PostgresPool
    private let vault: Vault

    package init(pool: PostgresPool, vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// Makes a source for one tenant, or for several that it may name in each delivery.
    package func create(
        slug: String, tenant: TenantID?, allowedTenants: [TenantID], preset: String
    ) async throws -> NewSource {
        guard preset == "standard" else { throw SourceError.unknownPreset(preset) }
        guard TenantID(rawValue: slug) != nil else {
            throw InvalidValue(
                "source", "must be 1 to 63 characters of a-z, 0-9 and '-', and start with a letter or digit")
        }
        let source = NewSource(
            id: SourceID(rawValue: UUID()), slug: slug, hookID: "hk_\(Self.random(20, alphabet: Self.base32))",
            secret: Self.newSecret())
        let secretID = UUID()
        let scope = tenant?.rawValue ?? "-"
        let sealed = try await self.vault.seal(source.secret, SecretPlace.binding(secretID, of: source.id, scope))
        do {
            try await self.pool.withTransaction { connection in
                try await Self.requireTenants(allowedTenants, on: connection)
                _ = try await connection.query(
                    """
                    insert into dialtone.sources (source_id, tenant_id, allowed_tenants, slug, hook_id, preset)
                    values (\(source.id), \(tenant), \(allowedTenants), \(slug), \(source.hookID), \(preset))
                    """)
                _ = try await connection.query(
                    """
                    insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed)
                    values (\(secretID), \(source.id), \(scope), \(Bytes(sealed)))
                    """)
            }
        } catch let error as PostgresError {
            throw Self.refusal(error, slug: slug, tenant: tenant)
        }
        return source
    }

    /// The column is an array, which no foreign key can check.
    private static func requireTenants(_ tenants: [TenantID], on connection: PostgresConnection) async throws {
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

    /// Gives a source a new secret. The older ones are accepted for `overlap` longer, so that the sender can change
    /// over. A secret that already has an end keeps the earlier one.
    package func rotate(slug: String, tenant: TenantID?, overlap: Duration) async throws -> NewSource {
        let scope = tenant?.rawValue ?? "-"
        let (secret, secretID) = (Self.newSecret(), UUID())
        // The secret is sealed for its source, and before the transaction: the vault may need a connection of its own.
        let source = try await self.find(slug, scope)
        let sealed = try await self.vault.seal(secret, SecretPlace.binding(secretID, of: source.id, scope))
        try await self.pool.withTransaction { connection in
            // The lock of the source's row lets one rotation follow the other. Primary key.
            let found = try await connection.query(
                "select 1 from dialtone.sources where source_id = \(source.id) for update")
            guard !found.isEmpty else { throw SourceError.unknownSource(slug) }
            _ = try await connection.query(
                """
                update dialtone.source_secrets
                set expires_at = least(expires_at, clock_timestamp() + \(overlap))
                where source_id = \(source.id)
                """)
            _ = try await connection.query(
                """
                insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed, created_at)
                values (\(secretID), \(source.id), \(scope), \(Bytes(sealed)), clock_timestamp())
                """)
        }
        return NewSource(id: source.id, slug: slug, hookID: source.hookID, secret: secret)
    }

    /// Unique index sources_slug.
    private func find(_ slug: String, _ scope: String) async throws -> (id: SourceID, hookID: String) {
        let rows = try await self.pool.query(
            """
            select source_id, hook_id from dialtone.sources
            where coalesce(tenant_id, '-') = \(scope) and slug = \(slug)
            """)
        guard let (id, hookID) = try rows.first?.decode(UUID.self, String.self) else {
            throw SourceError.unknownSource(slug)
        }
        return (SourceID(rawValue: id), hookID)
    }

    /// Returns the sources of one tenant, or all when `tenant` is nil.
    package func list(tenant: TenantID?) async throws -> [Source] {
        try await self.pool.query(
            """
            select source_id, slug, tenant_id, hook_id, preset, status, created_at from dialtone.sources
            where \(tenant)::text is null or tenant_id = \(tenant)
            order by tenant_id nulls first, slug
            """
        ).map { row in
            var columns = row.columns
            return Source(
                id: try columns.next(), slug: try columns.next(), tenant: try columns.next(),
                hookID: try columns.next(), preset: try columns.next(), status: try columns.next(),
                createdAt: try columns.next())
        }
    }

    /// Returns a new secret in the form of Standard Webhooks: `whsec_` and base64 of 32 random bytes.
    private static func newSecret() -> Secret<String> {
        Secret("whsec_\(Data(Self.bytes(32)).base64EncodedString())")
    }

    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567")

    private static func random(_ count: Int, alphabet: [Character]) -> String {
        String(Self.bytes(count).map { alphabet[Int($0) % alphabet.count] })
    }

    /// Returns bytes of the system's generator (getrandom(2)).
    private static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
