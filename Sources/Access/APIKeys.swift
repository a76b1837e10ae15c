// SPDX-License-Identifier: Apache-2.0
// API keys: made once, kept as hashes, and turned into a caller for each request.
//
// `Access` answers one question: who is calling, and what may that caller do? A key is shown once, when it is made. The
// table holds its hash, and each node remembers what the table said for a second.

import Crypto
package import Foundation
package import Model
package import Postgres
import Synchronization

/// Makes, lists, revokes and checks keys.
package final class APIKeys: Sendable {
    /// Revoking takes effect on every node within this time.
    private static let maximumAge: TimeInterval = 1

    /// A key in force.
    private struct Entry {
        var hash: [UInt8]
        var caller: Caller
    }

    /// What the database said about an id. That there is no such key is remembered too, so that guessing one id costs
    /// one look-up a second.
    private struct LookUp {
        var entry: Entry?
        var readAt: Date
    }

    private let pool: PostgresPool
    private let lookUps = Mutex<[String: LookUp]>([:])

    package init(pool: PostgresPool) { self.pool = pool }

    /// Makes a key for one tenant, or for an operator when `tenant` is nil. The text cannot be read again.
    package func create(tenant: TenantID?, scopes: [Scope]) async throws -> (id: String, text: Secret<String>) {
        var generator = SystemRandomNumberGenerator()
        let key = APIKey.make(using: &generator)
        _ = try await self.pool.query(
            """
            insert into dialtone.api_keys (key_id, tenant_id, hash, scopes)
            values (\(key.id), \(tenant), \(Bytes(Self.hash(key))), \(scopes))
            """)
        return (key.id, key.text)
    }

    /// Returns the keys of one tenant, or all when `tenant` is nil, the oldest first.
    package func list(tenant: TenantID?) async throws -> [APIKeyRecord] {
        try await self.pool.query(
            """
            select key_id, tenant_id, scopes, created_at, revoked_at from dialtone.api_keys
            where \(tenant)::text is null or tenant_id = \(tenant) order by created_at, key_id
            """
        ).map { row in
            var columns = row.columns
            return APIKeyRecord(
                id: try columns.next(), tenant: try columns.next(),
                scopes: try columns.next([String].self).compactMap(Scope.init(rawValue:)),
                createdAt: try columns.next(),
                revokedAt: try columns.next(Date?.self))
        }
    }

    /// Revokes a key. Returns whether the id was a key that was not revoked yet. Index: the primary key.
    package func revoke(_ id: String) async throws -> Bool {
        let rows = try await self.pool.query(
            """
            update dialtone.api_keys set revoked_at = now() where key_id = \(id) and revoked_at is null
            returning key_id
            """)
        _ = self.lookUps.withLock { $0.removeValue(forKey: id) }
        return !rows.isEmpty
    }

    /// Returns the caller that a key belongs to. `now` is by the node's clock.
    package func authenticate(_ bearer: String, now: Date) async throws(AccessError) -> Caller {
        guard let key = APIKey(bearer) else { throw .malformed }
        let entry = try await self.entry(for: key.id, now: now)
        // An unknown id costs the same work: its key is compared with a digest that no known key hashes to.
        let isEqual = Self.areEqual(Self.hash(key), entry?.hash ?? [UInt8](repeating: 0, count: 32))
        guard let entry, isEqual else { throw .unknownOrRevoked }
        return entry.caller
    }

    /// Returns the key of an id from memory, or from the table. Nil when no such key is in force. Index: the primary
    /// key.
    private func entry(for id: String, now: Date) async throws(AccessError) -> Entry? {
        let known = self.lookUps.withLock { $0[id] }
        if let known, abs(now.timeIntervalSince(known.readAt)) < Self.maximumAge { return known.entry }
        do {
            let rows = try await self.pool.query(
                """
                select hash, tenant_id, scopes from dialtone.api_keys
                where key_id = \(id) and revoked_at is null and (expires_at is null or expires_at > \(now))
                """)
            let entry = try rows.first.map { row in
                var columns = row.columns
                let hash = try columns.next(Bytes.self).value
                let tenant: TenantID? = try columns.next()
                let scopes = Set(try columns.next([String].self).compactMap(Scope.init(rawValue:)))
                let reach = tenant.map { Caller.Reach.tenant($0) } ?? .allTenants
                return Entry(hash: hash, caller: Caller(keyID: id, reach: reach, scopes: scopes))
            }
            self.lookUps.withLock { lookUps in
                if lookUps.count >= 10_000 { lookUps.removeAll() }
                lookUps[id] = LookUp(entry: entry, readAt: now)
            }
            return entry
        } catch {
            throw .unavailable
        }
    }

    private static func hash(_ key: APIKey) -> [UInt8] {
        Array(SHA256.hash(data: Array(key.secret.reveal().utf8)))
    }

    /// Compares in a time that does not depend on the contents.
    private static func areEqual(_ lhs: [UInt8], _ rhs: [UInt8]) -> Bool {
        lhs.count == rhs.count && zip(lhs, rhs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
