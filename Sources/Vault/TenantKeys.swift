// SPDX-License-Identifier: Apache-2.0
// The tenants' keys: made on first need, kept wrapped in the database and, unwrapped, in memory for five minutes.

import Crypto
import Foundation
package import Postgres

/// Finds and makes tenant keys. One look-up per key at a time, however many ask.
package actor TenantKeys {
    package enum Purpose: String, Sendable {
        /// Seals values.
        case record
        /// Makes blind indexes; lives longer, so that they survive a change of the other.
        case index
    }

    private enum Wanted: Hashable {
        case active(String, Purpose)
        case named(String, UUID)
    }

    private let pool: PostgresPool
    private let kek: any KeyEncryptionKey
    private let maximumAge: Duration
    private var kept: [Wanted: (key: TenantKey, until: ContinuousClock.Instant)] = [:]
    private var underWay: [Wanted: Task<TenantKey, any Error>] = [:]

    package init(pool: PostgresPool, kek: any KeyEncryptionKey, maximumAge: Duration = .seconds(300)) {
        self.pool = pool
        self.kek = kek
        self.maximumAge = maximumAge
    }

    /// The key that seals new values of this tenant.
    func active(_ tenant: String, _ purpose: Purpose) async throws -> TenantKey {
        try await self.get(.active(tenant, purpose)) { try await self.readOrMake(tenant, purpose) }
    }

    /// The key a sealed value names, if it is this tenant's.
    func named(_ id: UUID, of tenant: String) async throws -> TenantKey {
        try await self.get(.named(tenant, id)) { try await self.read(id, of: tenant) }
    }

    private func get(_ wanted: Wanted, _ load: @escaping @Sendable () async throws -> TenantKey) async throws
        -> TenantKey
    {
        if let kept = self.kept[wanted], kept.until > .now { return kept.key }
        // Unstructured, because it belongs to everyone who asks meanwhile: one of them leaving must not end it.
        let task = self.underWay[wanted] ?? Task { try await load() }
        self.underWay[wanted] = task
        defer { self.underWay[wanted] = nil }
        let key = try await task.value
        self.kept[wanted] = (key, .now + self.maximumAge)
        if self.kept.count > 20_000 { self.kept = self.kept.filter { $0.value.until > .now } }
        return key
    }

    private func readOrMake(_ tenant: String, _ purpose: Purpose) async throws -> TenantKey {
        if let key = try await self.readActive(tenant, purpose) { return key }
        let id = UUID()
        let wrapped = try await self.kek.wrap(SymmetricKey(size: .bits256), tenant: tenant, keyID: id, version: 1)
        // Two nodes may get here together: the unique index tenant_keys_active lets one win, and both read the
        // winner's.
        _ = try await self.pool.query(
            """
            insert into dialtone.tenant_keys (key_id, tenant_id, purpose, version, state, kek_uri, wrapped)
            values (\(id), \(tenant), \(purpose), 1, 'active', \(self.kek.uri), \(Bytes(wrapped)))
            on conflict do nothing
            """)
        guard let key = try await self.readActive(tenant, purpose) else { throw CannotOpen() }
        return key
    }

    private func readActive(_ tenant: String, _ purpose: Purpose) async throws -> TenantKey? {
        try await self.unwrapped(
            """
            select key_id, version, wrapped from dialtone.tenant_keys
            where tenant_id = \(tenant) and purpose = \(purpose) and state = 'active'
            """, tenant)
    }

    private func read(_ id: UUID, of tenant: String) async throws -> TenantKey {
        let key = try await self.unwrapped(
            """
            select key_id, version, wrapped from dialtone.tenant_keys
            where tenant_id = \(tenant) and key_id = \(id) and state in ('active', 'decrypt')
            """, tenant)
        guard let key else { throw CannotOpen() }
        return key
    }

    private func unwrapped(_ statement: SQL, _ tenant: String) async throws -> TenantKey? {
        guard let row = try await self.pool.query(statement).first else { return nil }
        let (id, version, wrapped) = try row.decode(UUID.self, Int32.self, Bytes.self)
        let key = try await self.kek.unwrap(wrapped.value, tenant: tenant, keyID: id, version: version)
        return TenantKey(id: id, key: key)
    }
}

/// The key-encryption key is not the one this database's keys are wrapped with.
package struct WrongKeyEncryptionKey: Error, CustomStringConvertible {
    let uri: String
    package var description: String {
        "DIALTONE_KEK (\(self.uri)) does not open the keys in this database; put back the key they were made with"
    }
}

extension TenantKeys {
    /// Throws when `kek` cannot open what is there: better at the start than at every webhook.
    package static func verify(_ kek: any KeyEncryptionKey, on connection: PostgresConnection) async throws {
        let row = try await connection.query(
            """
            select tenant_id, key_id, version, wrapped from dialtone.tenant_keys
            where state in ('active', 'decrypt') order by created_at desc limit 1
            """
        ).first
        guard let (tenant, id, version, wrapped) = try row?.decode(String.self, UUID.self, Int32.self, Bytes.self)
        else { return }
        do {
            _ = try await kek.unwrap(wrapped.value, tenant: tenant, keyID: id, version: version)
        } catch {
            throw WrongKeyEncryptionKey(uri: kek.uri)
        }
    }
}
