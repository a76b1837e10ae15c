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

    /// Seconds for which it counts that a key is not a guess.
    private static let keepsKnown: TimeInterval = 600

    /// A key in force.
    private struct Entry {
        var hash: [UInt8]
        var caller: Caller
    }

    private let pool: PostgresPool
    private let shares: PoolShares
    private let memory = Mutex(LookUpMemory<Entry>(keepsHits: APIKeys.keepsKnown, keepsMisses: APIKeys.maximumAge))
    private let reads = SharedReads<Entry?>()

    /// `shares` counts the look-ups of keys that are not known.
    package init(pool: PostgresPool, shares: PoolShares = PoolShares()) {
        self.pool = pool
        self.shares = shares
    }

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
        try await APIKeyRecord.list(of: tenant) { try await self.pool.query($0) }
    }

    /// Revokes a key. Returns whether the id was a key that was not revoked yet. Index: the primary key.
    package func revoke(_ id: String) async throws -> Bool {
        let rows = try await self.pool.query(
            """
            update dialtone.api_keys set revoked_at = now() where key_id = \(id) and revoked_at is null
            returning key_id
            """)
        self.memory.withLock { $0.forget(id) }
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

    /// Returns the key of an id from memory, or from the table. Nil when no such key is in force.
    ///
    /// However many requests ask with one key, it is read once at a time. Keys that are guessed have few reads of their
    /// own, and their misses push no known key out of the memory.
    /// Cancelled here: the read goes on for the others.
    private func entry(for id: String, now: Date) async throws(AccessError) -> Entry? {
        let (last, isMiss) = self.memory.withLock { ($0.hit(id), $0.isMiss(id, at: now)) }
        if let last, last.age(at: now) < Self.maximumAge { return last.found }
        if isMiss { return nil }
        let owners: [PoolShare] = last == nil ? [.unknown] : []
        let outcome = await self.reads.outcome(of: id) {
            let found = try await self.shares.hold(owners) { try await self.read(id, now: now) }
            self.memory.withLock { $0.note(found, for: id, at: now) }
            return found
        }
        switch outcome {
        case .success(let found): return found
        case .failure(is PoolShares.TooMany): throw .tooManyUnknown
        case .failure, nil: throw .unavailable
        }
    }

    /// Index: the primary key.
    private func read(_ id: String, now: Date) async throws -> Entry? {
        let rows = try await self.pool.query(
            """
            select hash, tenant_id, scopes from dialtone.api_keys
            where key_id = \(id) and revoked_at is null and (expires_at is null or expires_at > \(now))
            """)
        guard var columns = rows.first?.columns else { return nil }
        let hash = try columns.next(Bytes.self).value
        let tenant: TenantID? = try columns.next()
        let scopes = Set(try columns.next([String].self).compactMap(Scope.init(rawValue:)))
        let reach = tenant.map { Caller.Reach.tenant($0) } ?? .allTenants
        return Entry(hash: hash, caller: Caller(keyID: id, reach: reach, scopes: scopes))
    }

    private static func hash(_ key: APIKey) -> [UInt8] {
        Array(SHA256.hash(data: Array(key.secret.reveal().utf8)))
    }

    /// Compares in a time that does not depend on the contents.
    private static func areEqual(_ lhs: [UInt8], _ rhs: [UInt8]) -> Bool {
        lhs.count == rhs.count && zip(lhs, rhs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
