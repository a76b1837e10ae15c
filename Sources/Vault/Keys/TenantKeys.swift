// SPDX-License-Identifier: Apache-2.0
// The tenants' keys: made on first need, kept wrapped in the database and, unwrapped, in memory for five minutes.

import Crypto
import Foundation
package import Postgres

/// Finds and makes tenant keys. However many callers ask for a key, there is one look-up for it at a time.
package actor TenantKeys {
    package enum Purpose: String, Sendable {
        /// Seals values.
        case record
        /// Makes blind indexes. It outlives record keys, so that the indexes survive a change of the record key.
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

    /// Returns the key that seals new values of this tenant.
    func active(_ tenant: String, _ purpose: Purpose) async throws -> TenantKey {
        try await self.get(.active(tenant, purpose)) { try await self.readOrMake(tenant, purpose) }
    }

    /// Returns the key that makes this tenant's hashes or seals its values, or nil while there is none.
    func known(_ tenant: String, _ purpose: Purpose) async throws -> TenantKey? {
        let wanted = Wanted.active(tenant, purpose)
        if let kept = self.kept[wanted], kept.until > .now { return kept.key }
        guard let key = try await self.readActive(tenant, purpose) else { return nil }
        self.kept[wanted] = (key, .now + self.maximumAge)
        return key
    }

    /// Returns the key that a sealed value names. Throws `CannotOpen` when this tenant has no such key.
    func named(_ id: UUID, of tenant: String) async throws -> TenantKey {
        try await self.get(.named(tenant, id)) { try await self.read(id, of: tenant) }
    }

    private func get(_ wanted: Wanted, _ load: @escaping @Sendable () async throws -> TenantKey) async throws
        -> TenantKey
    {
        if let kept = self.kept[wanted], kept.until > .now { return kept.key }
        // Unstructured, because it belongs to every caller who asks meanwhile: one of them leaving must not end it.
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
        // A key that another key-encryption key has wrapped would make all of them useless to either.
        try await self.pool.withConnection { try await Self.verify(self.kek, on: $0) }
        let id = UUID()
        let wrapped = try await self.kek.wrap(SymmetricKey(size: .bits256), tenant: tenant, keyID: id, version: 1)
        // Two nodes may get here together. The unique index tenant_keys_active lets one insert its key, and both then
        // read that key.
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
        do {
            return TenantKey(
                id: id, key: try await self.kek.unwrap(wrapped.value, tenant: tenant, keyID: id, version: version))
        } catch {
            throw WrongKeyEncryptionKey(uri: self.kek.uri)
        }
    }
}
