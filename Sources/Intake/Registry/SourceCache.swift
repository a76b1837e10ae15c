// SPDX-License-Identifier: Apache-2.0
// Keeps the sources of deliveries in memory for a few seconds, with their secrets opened.

import Crypto
import Foundation
import Model
import Postgres
import Synchronization
import Vault

/// Looks sources up by hook id. A rotated secret or a disabled source takes effect within `maximumAge`.
///
/// A hook that is known is read again on connections of its own. Requests share the other ones with guessed ids, and
/// cannot make a known hook wait.
final class SourceCache: Sendable {
    /// Seconds for which a source is believed.
    private static let maximumAge: TimeInterval = 5
    /// Seconds for which the last answer serves on, but only while the database does not answer.
    private static let longestTrust: TimeInterval = 60
    /// Seconds after which a hook that was not asked for counts as unknown again.
    private static let longestSilence: TimeInterval = 86_400
    /// Seconds for which it is believed that a hook has no source. The database is asked for such a hook once a second
    /// at most.
    private static let maximumAgeOfNone: TimeInterval = 1
    /// After this long the database does not answer.
    private static let patience: Duration = .milliseconds(500)

    private let knownHooks: PostgresPool
    private let lookUps: PostgresPool
    private let shares: PoolShares
    private let vault: Vault
    private let budgets: SourceBudgets
    private let memory = Mutex(
        LookUpMemory<KnownSource>(
            keepsHits: SourceCache.longestSilence, keepsMisses: SourceCache.maximumAgeOfNone))
    let reads = SharedReads<KnownSource?>(patience: SourceCache.patience)

    /// `known` is for hooks that were found before, and `lookUps` for all others. `shares` counts those.
    init(
        known: PostgresPool, lookUps: PostgresPool, shares: PoolShares, vault: Vault, budgets: SourceBudgets
    ) {
        self.knownHooks = known
        self.lookUps = lookUps
        self.shares = shares
        self.vault = vault
        self.budgets = budgets
    }

    /// Returns the source if it was read within `maximumAge`.
    func known(_ hook: String, now: Date) -> KnownSource? {
        guard let hit = self.memory.withLock({ $0.hit(hook) }), hit.age(at: now) < Self.maximumAge else { return nil }
        return hit.found
    }

    /// Returns the source of a hook, from memory or from the database. `now` is by the node's clock.
    ///
    /// However many deliveries of one hook ask, it is read once at a time.
    /// Cancelled here: the read goes on for the others.
    func source(for hook: String, now: Date) async throws(IntakeError) -> KnownSource {
        guard hook.hasPrefix("hk_"), hook.utf8.count <= 64 else { throw .unknownHook }
        let (last, isMiss) = self.memory.withLock { ($0.hit(hook), $0.isMiss(hook, at: now)) }
        if let last, last.age(at: now) < Self.maximumAge { return last.found }
        if isMiss { throw .unknownHook }
        let trusted = last.flatMap { $0.age(at: now) < Self.longestTrust ? $0.found : nil }
        let isKnown = last != nil
        let outcome = await self.reads.outcome(of: hook, isImpatient: trusted != nil) {
            let found = try await self.read(hook, isKnown: isKnown, now: now)
            self.memory.withLock { $0.note(found, for: hook, at: now) }
            return found
        }
        return try Self.answer(outcome, or: trusted)
    }

    /// `trusted` serves while the database does not answer. What the database has answered always counts.
    private static func answer(
        _ outcome: SharedReads<KnownSource?>.Outcome?, or trusted: KnownSource?
    ) throws(IntakeError) -> KnownSource {
        switch outcome {
        case .success(let found?): return found
        case .success(nil): throw .unknownHook
        case .failure(is PoolShares.TooMany): throw .tooManyUnknown
        case .failure(let error as PostgresError) where error.isUnavailable || error.isTooSlow: break
        case .failure: throw .unavailable
        case nil: break
        }
        guard let trusted else { throw .unavailable }
        return trusted
    }

    private func read(_ hook: String, isKnown: Bool, now: Date) async throws -> KnownSource? {
        if isKnown { return try await self.read(hook, on: self.knownHooks, now: now) }
        return try await self.shares.hold([.unknown]) { try await self.read(hook, on: self.lookUps, now: now) }
    }

    /// Reads a source with its newest four secrets in force and opens them. Indexes sources_hook_id_key and
    /// source_secrets_source.
    private func read(_ hook: String, on pool: PostgresPool, now: Date) async throws -> KnownSource? {
        let rows = try await pool.query(
            """
            select source.source_id, source.tenant_id, source.allowed_tenants,
                   secret.secret_id, secret.tenant_id, secret.sealed
            from dialtone.sources source left join dialtone.source_secrets secret
                on secret.source_id = source.source_id and secret.tenant_id = coalesce(source.tenant_id, '-')
                    and (secret.expires_at is null or secret.expires_at > \(now))
            where source.hook_id = \(hook) and source.status = 'active'
            order by secret.created_at desc limit 4
            """)
        guard let first = rows.first else { return nil }
        var columns = first.columns
        let id: SourceID = try columns.next()
        let tenant: TenantID? = try columns.next()
        let allowed = try columns.next([String].self).compactMap(TenantID.init(rawValue:))
        let keys = try await self.keys(in: rows, of: id)
        return KnownSource(
            id: id, tenant: tenant, allowed: Set(allowed), proof: StandardWebhooksProof(secrets: keys),
            budget: self.budgets.budget(of: id))
    }

    /// Opens the secrets of a source. A secret that was sealed for another source, or in another row, does not open. It
    /// is passed over, so that it does no harm to the others. If none opens, the source cannot be read: its senders are
    /// told 503 and come again.
    private func keys(in rows: PostgresRows, of source: SourceID) async throws -> [Secret<SymmetricKey>] {
        var keys: [Secret<SymmetricKey>] = []
        var failure: CannotOpen?
        for row in rows {
            let (_, _, _, secretID, scope, sealed) = try row.decode(
                UUID.self, String?.self, [String].self, UUID?.self, String?.self, Bytes?.self)
            // Null in all three: the source has no secret in force.
            guard let secretID, let scope, let sealed else { continue }
            do {
                let secret = try await self.vault.open(sealed.value, SecretPlace.binding(secretID, of: source, scope))
                keys.append(try secret.map(StandardWebhooksProof.key(from:)))
            } catch let error as CannotOpen {
                failure = error
            }
        }
        if let failure, keys.isEmpty { throw failure }
        return keys
    }
}
