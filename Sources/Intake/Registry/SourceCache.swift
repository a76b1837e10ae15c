// SPDX-License-Identifier: Apache-2.0
// The sources that deliveries come from, kept in memory for a few seconds with their secrets opened.

import Foundation
import Model
import Postgres
import Synchronization
import Vault

/// A source as intake needs it.
struct KnownSource: Sendable {
    let id: SourceID
    let tenant: TenantID?
    let allowed: Set<TenantID>
    let proof: StandardWebhooksProof

    /// Whose ledger events without a user go to.
    var owner: String { self.tenant?.rawValue ?? "-" }

    /// The tenant a delivery is for. A source bound to one tenant may leave it out, and may name no other.
    func tenant(named name: TenantID?) -> TenantID? {
        guard let tenant = self.tenant else { return name.flatMap { self.allowed.contains($0) ? $0 : nil } }
        return name == nil || name == tenant ? tenant : nil
    }
}

/// Looks sources up by hook id. A rotated secret or a disabled source takes effect within `maximumAge`.
final class SourceCache: Sendable {
    private static let maximumAge: TimeInterval = 5
    /// Hook ids nobody made must not fill the memory.
    private static let maximumEntries = 10_000

    /// Nobody's hook is asked for once a second at most.
    private static let maximumAgeOfNone: TimeInterval = 1

    private struct Entry {
        var source: KnownSource?
        var readAt: Date
    }

    private let pool: PostgresPool
    private let vault: Vault
    private let entries = Mutex<[String: Entry]>([:])

    init(pool: PostgresPool, vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// The source if it was read within `maximumAge`.
    func known(_ hook: String, now: Date) -> KnownSource? { self.recent(hook, now: now)?.source }

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

    private func recent(_ hook: String, now: Date) -> Entry? {
        self.entries.withLock { entries in
            entries[hook].flatMap { entry in
                let limit = entry.source == nil ? Self.maximumAgeOfNone : Self.maximumAge
                return abs(now.timeIntervalSince(entry.readAt)) < limit ? entry : nil
            }
        }
    }

    private func read(_ hook: String, now: Date) async throws -> KnownSource? {
        let rows = try await self.pool.query(
            """
            select s.source_id, s.tenant_id, s.allowed_tenants, k.secret_id, k.tenant_id, k.sealed
            from dialtone.sources s left join dialtone.source_secrets k
                on k.source_id = s.source_id and (k.expires_at is null or k.expires_at > \(now))
            where s.hook_id = \(hook) and s.status = 'active'
            order by k.created_at desc limit 4
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
            guard let secretID, let scope, let sealed else { continue }
            secrets.append(try await self.vault.open(sealed.value, SecretPlace.binding(secretID, scope)))
        }
        let keys = try secrets.map { try $0.map(StandardWebhooksProof.key(from:)) }
        return KnownSource(
            id: id, tenant: tenant, allowed: Set(allowed), proof: StandardWebhooksProof(secrets: keys))
    }
}
