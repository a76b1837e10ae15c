// SPDX-License-Identifier: Apache-2.0
// Keeps the sources of deliveries in memory for a few seconds, with their secrets opened.

import Foundation
import Model
import Postgres
import Synchronization
import Vault

/// Looks sources up by hook id. A rotated secret, a new mapping, or a source that is disabled, enabled or deleted takes
/// effect within `maximumAge`. A disabled source is known, so that its sender is told to come again.
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
    private let published: JWKSCaches
    private let memory = Mutex(
        LookUpMemory<KnownSource>(
            keepsHits: SourceCache.longestSilence, keepsMisses: SourceCache.maximumAgeOfNone))
    /// Hooks whose source is there and could not be used when it was last read. No more than there are sources.
    private let unusable = Mutex<[String: SourceID]>([:])
    let reads = SharedReads<KnownSource?>(patience: SourceCache.patience)
    /// Whether a disabled source is read as an active one is, for an operator who checks it.
    private let readsDisabled: Bool

    /// `known` is for hooks that were found before, and `lookUps` for all others. `shares` counts those. `published`
    /// has the keys that senders publish.
    init(
        known: PostgresPool, lookUps: PostgresPool, shares: PoolShares, vault: Vault, budgets: SourceBudgets,
        published: JWKSCaches, readsDisabled: Bool = false
    ) {
        self.knownHooks = known
        self.lookUps = lookUps
        self.shares = shares
        self.vault = vault
        self.budgets = budgets
        self.published = published
        self.readsDisabled = readsDisabled
    }

    /// Returns the source if it was read within `maximumAge` and is active.
    func known(_ hook: String, now: Date) -> KnownSource? {
        guard let hit = self.memory.withLock({ $0.hit(hook) }), hit.age(at: now) < Self.maximumAge else { return nil }
        return hit.found.isDisabled ? nil : hit.found
    }

    /// Returns the source of a hook as it was last read, also when it is disabled. Nil: none was found.
    func lastRead(_ hook: String) -> KnownSource? { self.memory.withLock { $0.hit(hook)?.found } }

    /// Returns the id of a hook's source as it was last read, also when the source cannot be used. Nil: none was found.
    func sourceID(of hook: String) -> SourceID? {
        self.unusable.withLock { $0[hook] } ?? self.lastRead(hook)?.id
    }

    /// Returns the source of a hook, from memory or from the database. `now` is by the node's clock.
    ///
    /// However many deliveries of one hook ask, it is read once at a time.
    /// Cancelled here: the read goes on for the others.
    func source(for hook: String, now: Date) async throws(IntakeError) -> KnownSource {
        let source = try await self.knownOrRead(hook, now: now)
        guard !source.isDisabled else { throw .disabled }
        return source
    }

    private func knownOrRead(_ hook: String, now: Date) async throws(IntakeError) -> KnownSource {
        guard hook.hasPrefix("hk_"), hook.utf8.count <= 64 else { throw .unknownHook }
        let (last, isMiss) = self.memory.withLock { ($0.hit(hook), $0.isMiss(hook, at: now)) }
        if let last, last.age(at: now) < Self.maximumAge { return last.found }
        if isMiss { throw .unknownHook }
        let trusted = last.flatMap { $0.age(at: now) < Self.longestTrust ? $0.found : nil }
        let outcome = await self.reads.outcome(of: hook, isImpatient: trusted != nil) {
            let found = try await self.read(hook, last: last?.found, now: now)
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

    /// `last` is the source as it was read before; nil for a hook that is not known.
    private func read(_ hook: String, last: KnownSource?, now: Date) async throws -> KnownSource? {
        if last != nil { return try await self.read(hook, on: self.knownHooks, last: last, now: now) }
        return try await self.shares.hold([.unknown]) {
            try await self.read(hook, on: self.lookUps, last: nil, now: now)
        }
    }

    /// Reads a source with its newest four secrets in force and opens them. Indexes sources_hook_id_key and
    /// source_secrets_source.
    private func read(
        _ hook: String, on pool: PostgresPool, last: KnownSource?, now: Date
    ) async throws -> KnownSource? {
        let rows = try await pool.query(
            """
            select source.source_id, source.tenant_id, source.allowed_tenants, source.preset, source.config_version,
                   source.is_tracked, source.keeps_names, source.ids_changed, source.config::text, source.slug,
                   source.status = 'disabled', secret.secret_id, secret.tenant_id, secret.sealed, secret.expires_at,
                   secret.made_by = 'sender'
            from dialtone.sources source left join dialtone.source_secrets secret
                on secret.source_id = source.source_id and secret.tenant_id = coalesce(source.tenant_id, '-')
                    and (secret.expires_at is null or secret.expires_at > \(now))
            where source.hook_id = \(hook) and source.status <> 'deleted'
            order by secret.created_at desc limit 4
            """)
        self.unusable.withLock { $0[hook] = nil }
        guard let first = rows.first else { return nil }
        var columns = first.columns
        let row = try Row(&columns)
        do {
            let budget = self.budgets.budget(of: row.id, named: row.slug)
            var reader = KnownSource.Reader.disabled
            var lacksSendersSecret = false
            if !row.isDisabled || self.readsDisabled {
                let (secrets, hasSenders) = try await self.secrets(in: rows, of: row.id)
                reader = try self.reader(row, secrets, budget, last: last)
                if case .mapped(let mapped) = reader, mapped.compiled.takesSendersSecret {
                    lacksSendersSecret = !secrets.isEmpty && !hasSenders
                }
            }
            return KnownSource(
                id: row.id, tenant: row.key.tenant, allowed: Set(row.key.allowed), reader: reader, budget: budget,
                lacksSendersSecret: lacksSendersSecret, keepsNames: row.key.keepsNames)
        } catch let error where error is InvalidValue || error is CannotOpen {
            // Neither error holds a value. The sender hears 503, and comes again when the operator has mended it.
            self.unusable.withLock { $0[hook] = row.id }
            self.budgets.tellUnusable(row.id, named: row.slug, "\(error)")
            throw error
        }
    }

    /// The columns of a source, which all its rows have.
    private struct Row {
        let id: SourceID
        let key: CompiledTerms.Key
        let configuration: String?
        let slug: String
        let isDisabled: Bool

        init(_ columns: inout PostgresColumns) throws {
            self.id = try columns.next()
            let tenant: TenantID? = try columns.next()
            let allowed = try columns.next([String].self).compactMap(TenantID.init(rawValue:))
            let preset: String = try columns.next()
            self.key = CompiledTerms.Key(
                preset: preset, version: try columns.next(), tenant: tenant, allowed: allowed,
                isTracked: try columns.next(), keepsNames: try columns.next(), idsChanged: try columns.next())
            self.configuration = try columns.next()
            self.slug = try columns.next()
            self.isDisabled = try columns.next()
        }
    }

    private func reader(
        _ row: Row, _ secrets: [ProofSecret], _ budget: SourceBudget, last: KnownSource?
    ) throws -> KnownSource.Reader {
        var compiled: CompiledTerms?
        if case .mapped(let mapped) = last?.reader, mapped.id == row.id, mapped.compiled.key == row.key {
            compiled = mapped.compiled
        } else {
            compiled = try CompiledTerms(row.key, row.configuration.map { Array($0.utf8) })
        }
        guard let compiled else {
            for secret in secrets { _ = try StandardWebhooksSecret.keys(in: secret.text.reveal()) }
            return .canonical(StandardWebhooksProof(of: secrets, tolerance: StandardWebhooksProof.tolerance))
        }
        return .mapped(
            MappedSource(
                id: row.id, slug: row.slug, budget: budget, compiled: compiled,
                proof: try DeliveryProof(compiled.proofs, secrets: secrets, keys: self.published)))
    }

    /// Opens the secrets of a source. A secret that was sealed for another source, or in another row, does not open. It
    /// is passed over, so that it does no harm to the others. If none opens, the source cannot be read: its senders are
    /// told 503 and come again. `hasSenders`: one that opens was made by the sender.
    private func secrets(
        in rows: PostgresRows, of source: SourceID
    ) async throws -> (secrets: [ProofSecret], hasSenders: Bool) {
        var secrets: [ProofSecret] = []
        var hasSenders = false
        var failure: CannotOpen?
        for row in rows {
            var columns = row.columns
            _ = try Row(&columns)
            let id: UUID? = try columns.next()
            let scope: String? = try columns.next()
            let sealed: Bytes? = try columns.next()
            let end: Date? = try columns.next()
            let isSenders: Bool? = try columns.next()
            // Null in all three: the source has no secret in force.
            guard let id, let scope, let sealed else { continue }
            do {
                let text = try await self.vault.open(sealed.value, SecretPlace.binding(id, of: source, scope))
                secrets.append(ProofSecret(id: id, text: text, notAfter: end))
                hasSenders = hasSenders || isSenders == true
            } catch let error as CannotOpen {
                failure = error
            }
        }
        if let failure, secrets.isEmpty { throw failure }
        return (secrets, hasSenders)
    }
}
