// SPDX-License-Identifier: Apache-2.0
// API keys: made once, kept as hashes, and turned into a caller for each request.

import Crypto
package import Foundation
package import Model
package import Postgres
import Synchronization

package enum AccessError: Error, Equatable {
    case missing
    case malformed
    case unknownOrRevoked
    case unavailable
}

/// A key as lists show it; the secret is not to be had.
package struct APIKeyRecord: Sendable {
    package let id: String
    package let tenant: TenantID?
    package let scopes: [Scope]
    package let createdAt: Date
    package let revokedAt: Date?
}

/// Makes, lists, revokes and checks keys.
package final class APIKeys: Sendable {
    /// Revoking takes effect on every node within this time.
    private static let maximumAge: TimeInterval = 1

    private struct Entry {
        var hash: [UInt8]
        var caller: Caller
    }

    /// What the database said of an id; also that there is none, so that guessing ids costs it one look a second.
    private struct Answer {
        var entry: Entry?
        var readAt: Date
    }

    private let pool: PostgresPool
    private let answers = Mutex<[String: Answer]>([:])

    package init(pool: PostgresPool) { self.pool = pool }

    /// A key of one tenant, or with `tenant` nil an operator's. The text is not to be had again.
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

    /// Answers whether there was such a key in force.
    package func revoke(_ id: String) async throws -> Bool {
        let rows = try await self.pool.query(
            "update dialtone.api_keys set revoked_at = now() where key_id = \(id) and revoked_at is null returning key_id"
        )
        _ = self.answers.withLock { $0.removeValue(forKey: id) }
        return !rows.isEmpty
    }

    /// Who the bearer of this key is.
    package func authenticate(_ bearer: String, now: Date) async throws(AccessError) -> Caller {
        guard let key = APIKey(bearer) else { throw .malformed }
        let entry = try await self.entry(for: key.id, now: now)
        // The same work for an unknown id: compare with a digest nothing hashes to by intent.
        let isEqual = Self.areEqual(Self.hash(key), entry?.hash ?? [UInt8](repeating: 0, count: 32))
        guard let entry, isEqual else { throw .unknownOrRevoked }
        return entry.caller
    }

    private func entry(for id: String, now: Date) async throws(AccessError) -> Entry? {
        let known = self.answers.withLock { $0[id] }
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
            self.answers.withLock { answers in
                if answers.count >= 10_000 { answers.removeAll() }
                answers[id] = Answer(entry: entry, readAt: now)
            }
            return entry
        } catch {
            throw .unavailable
        }
    }

    private static func hash(_ key: APIKey) -> [UInt8] {
        Array(SHA256.hash(data: Array(key.secret.reveal().utf8)))
    }

    /// Constant time in the contents.
    private static func areEqual(_ lhs: [UInt8], _ rhs: [UInt8]) -> Bool {
        lhs.count == rhs.count && zip(lhs, rhs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension Scope {
    /// "users:read,login-tokens:create"; an unknown one is named by its place in the list of those there are.
    package static func list(_ text: String) throws(InvalidValue) -> [Scope] {
        var scopes: [Scope] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let scope = Scope(rawValue: part.trimmingCharacters(in: .whitespaces)) else {
                let all = Scope.allCases.map(\.rawValue).joined(separator: ", ")
                throw InvalidValue("scopes", "must be a comma-separated list of: \(all)")
            }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes
    }
}

/// The `Authorization` header.
package enum AuthorizationHeader {
    /// The token of exactly one `Bearer` header (RFC 6750; the scheme's case does not matter).
    package static func bearer(_ values: [String]) throws(AccessError) -> String {
        guard let value = values.first else { throw .missing }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard values.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else { throw .malformed }
        return String(parts[1])
    }
}
