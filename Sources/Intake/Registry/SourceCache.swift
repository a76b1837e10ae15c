// SPDX-License-Identifier: Apache-2.0
// Keeps the sources of deliveries in memory for a few seconds, with their secrets opened.

import Foundation
import Model
import Postgres
import Synchronization
import Vault

/// Looks sources up by hook id. A rotated secret or a disabled source takes effect within `maximumAge`.
final class SourceCache: Sendable {
    /// Seconds for which a source is believed.
    private static let maximumAge: TimeInterval = 5
    /// Seconds for which it is believed that a hook has no source. The database is asked for such a hook once a second
    /// at most.
    private static let maximumAgeOfNone: TimeInterval = 1
    /// Invented hook ids must not fill the memory.
    private static let maximumEntries = 10_000

    /// What the database said about a hook id. `source` is nil when it has none.
    private struct Entry {
        var source: KnownSource?
        var readAt: Date
    }

    private let pool: PostgresPool
    private let vault: Vault
    private let budgets: SourceBudgets
    private let entries = Mutex<[String: Entry]>([:])

    init(pool: PostgresPool, vault: Vault, budgets: SourceBudgets) {
        self.pool = pool
        self.vault = vault
        self.budgets = budgets
    }

    /// Returns the source if it was read within `maximumAge`.
    func known(_ hook: String, now: Date) -> KnownSource? { self.recent(hook, now: now)?.source }

    /// Returns the source of a hook, from memory or from the database. `now` is by the node's clock.
    func source(for hook: String, now: Date) async throws(IntakeError) -> KnownSource {
        guard hook.hasPrefix("hk_"), hook.utf8.count <= 64 else { throw .unknownHook }
        if let recent = self.recent(hook, now: now) {
            guard let source = recent.source else { throw .unknownHook }
            return source
        }
        let found: KnownSource?
        do {
            found = try await self.read(hook, now: now)
        } catch {
            throw .unavailable
        }
        self.entries.withLock { entries in
            if entries.count >= Self.maximumEntries { entries.removeAll() }
            entries[hook] = Entry(source: found, readAt: now)
        }
        guard let found else { throw .unknownHook }
        return found
    }

    /// Returns an entry that is young enough to be believed.
    private func recent(_ hook: String, now: Date) -> Entry? {
        self.entries.withLock { entries in
            entries[hook].flatMap { entry in
                let limit = entry.source == nil ? Self.maximumAgeOfNone : Self.maximumAge
                return abs(now.timeIntervalSince(entry.readAt)) < limit ? entry : nil
            }
        }
    }

    /// Reads a source with its newest four secrets in force and opens them. Indexes sources_hook_id_key and
    /// source_secrets_source.
    private func read(_ hook: String, now: Date) async throws -> KnownSource? {
        let rows = try await self.pool.query(
            """
            select source.source_id, source.tenant_id, source.allowed_tenants,
                   secret.secret_id, secret.tenant_id, secret.sealed
            from dialtone.sources source left join dialtone.source_secrets secret
                on secret.source_id = source.source_id and (secret.expires_at is null or secret.expires_at > \(now))
            where source.hook_id = \(hook) and source.status = 'active'
            order by secret.created_at desc limit 4
            """)
        guard let first = rows.first else { return nil }
        var columns = first.columns
        let id: SourceID = try columns.next()
        let tenant: TenantID? = try columns.next()
        let allowed = try columns.next([String].self).compactMap(TenantID.init(rawValue:))
        var secrets: [Secret<String>] = []
        for row in rows {
            let (_, _, _, secretID, scope, sealed) = try row.decode(
                UUID.self, String?.self, [String].self, UUID?.self, String?.self, Bytes?.self)
            // Null in all three: the source has no secret in force.
            guard let secretID, let scope, let sealed else { continue }
            secrets.append(try await self.vault.open(sealed.value, SecretPlace.binding(secretID, scope)))
        }
        let keys = try secrets.map { try $0.map(StandardWebhooksProof.key(from:)) }
        return KnownSource(
            id: id, tenant: tenant, allowed: Set(allowed), proof: StandardWebhooksProof(secrets: keys),
            budget: self.budgets.budget(of: id))
    }
}
