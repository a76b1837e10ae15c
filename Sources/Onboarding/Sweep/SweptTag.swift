// SPDX-License-Identifier: Apache-2.0
// One tag held against the ledger: what is listed and not known, and what is known and not listed.

import Foundation
import Logging
import Model
import Postgres
import ProviderLimits
import Telnyx

/// One shard of one tenant, during a sweep.
struct SweptTag {
    let sweep: Sweep
    let holder: UUID
    let tenant: TenantID
    let shard: Int32
    /// Whether the ledger has this shard.
    let isKnown: Bool
    /// Whether the ledger knows all it ever knew.
    let isTrusted: Bool

    var tag: String { TagShards.name(self.shard, of: self.tenant) }

    /// A credential the ledger has.
    struct Known {
        var user: UserKey
        var generation: Generation
        var isActive: Bool
        /// It is to be deleted.
        var isClosing: Bool { !self.isActive }
        var isOldEnoughToBeListed: Bool
        var isMissing: Bool
        var isLongMissing: Bool
    }

    /// What is to be done, collected before anything is: a run that would change too much changes nothing.
    struct Plan {
        /// Second credentials whose owner was seen alive in this list: deleting one takes nothing from anybody.
        var proven: [(TelephonyCredential, UserKey, Generation)] = []
        var surplus: [(TelephonyCredential, UserKey, Generation)] = []
        var evidence: [(UserKey, Generation)] = []
        var orphans: [UserKey] = []
        var ahead: [(UserKey, Generation)] = []
        var reopened: [(ProviderID, UserKey)] = []
        var strays: [TelephonyCredential] = []
        /// In the ledger under another tag than the one they are listed by.
        var moved: [ProviderID] = []
        /// Another tenant's: the filter is not exact.
        var others = 0
        var gone: [(ProviderID, Known)] = []
        var missing: [ProviderID] = []
        var found: [ProviderID] = []
        /// Not there, and nobody to say that this is the account.
        var unproven = 0
        /// To be deleted, and not there.
        var closed: [(ProviderID, Known)] = []
        /// Settled credentials that should be there, and how many are.
        var expected = 0
        var seen = 0

        /// What may be done in a tag where too much would change: all that takes nothing away.
        var harmless: Plan {
            var plan = self
            (plan.proven, plan.surplus, plan.reopened, plan.gone) = ([], [], [], [])
            return plan
        }
    }

    /// Answers how many credentials the tag holds at the provider; nil when it could not be listed. `before`: those of
    /// the tag listed before this one. A shard beyond the last that shows nothing else is no shard: such a list may not
    /// heed the tag.
    func compare(_ report: inout SweepReport, before: inout Set<ProviderID>) async throws -> Int? {
        report.tags += 1
        guard try await self.sweep.provider.limits.allowsCalls() else {
            report.failedLists += 1
            report.failure = "calls are held back: see dialtone limit list"
            return nil
        }
        let listed: [TelephonyCredential]
        do {
            listed = try await self.list()
        } catch let failure as TelnyxFailure {
            report.failedLists += 1
            report.failure = "\(failure)"
            return nil
        }
        let ids = Set(listed.map(\.id))
        if !self.isKnown && ids.isSubset(of: before) { return 0 }
        before = ids
        report.listed += listed.count
        let known = try await self.known()
        var plan = Plan()
        try await self.explain(listed, known, &plan, &report)
        try await self.miss(listed, known, &plan)
        plan.closed = try await self.closings(listed, known)
        let changes = plan.surplus.count + plan.gone.count + plan.reopened.count
        report.strays += plan.strays.count
        report.strayNames += plan.strays.prefix(max(0, 100 - report.strayNames.count)).map { $0.name ?? "" }
        report.evidence += plan.evidence.count + plan.orphans.count + plan.ahead.count
        report.unproven += plan.unproven
        report.expected += plan.expected
        report.seen += plan.seen
        if changes > max(5, listed.count / 100), !self.sweep.options.isConfirmed {
            report.stopped.append(self.tag)
            if !self.sweep.options.isDryRun { try await self.carryOut(plan.harmless) }
        } else {
            report.surplus += plan.surplus.count + plan.proven.count
            report.reopened += plan.reopened.count
            report.missing += plan.missing.count
            report.reprovisioned += plan.gone.count
            if !self.sweep.options.isDryRun { try await self.carryOut(plan) }
        }
        if !self.sweep.options.isDryRun {
            report.straysDeleted += try await self.report(plan.strays)
            try await self.inOneTransaction(
                SweepStatements.count(self.tenant, self.shard, tag: self.tag, listed: listed.count - plan.others))
        }
        return listed.count
    }

    private func known() async throws -> [ProviderID: Known] {
        var known: [ProviderID: Known] = [:]
        for row in try await self.sweep.pool.query(
            SweepStatements.ledger(of: self.tag, landingTime: self.sweep.landingTime))
        {
            var columns = row.columns
            let user = UserKey(tenant: try columns.next(), user: try columns.next())
            let generation: Generation = try columns.next()
            let id: ProviderID = try columns.next()
            let status: CredentialStatus = try columns.next()
            known[id] = Known(
                user: user, generation: generation, isActive: status == .active,
                isOldEnoughToBeListed: try columns.next(),
                isMissing: try columns.next(), isLongMissing: try columns.next(Bool?.self) ?? false)
        }
        return known
    }

    /// While the ledger is not trusted, what a list leaves out counts: one that came and one that went between two
    /// pages can hide a third from a list that looks whole, so a list of several pages is taken twice.
    private func list() async throws -> [TelephonyCredential] {
        let query = ListQuery(tag: self.tag)
        let first = try await self.sweep.provider.listWhole(query, until: .now + Sweep.hold / 3)
        guard !self.isTrusted, first.count >= query.pageSize else { return first }
        try await self.sweep.extend(self.holder)
        let second = try await self.sweep.provider.listWhole(query, until: .now + Sweep.hold / 3)
        let ids = Set(first.map(\.id))
        return first + second.filter { !ids.contains($0.id) }
    }

    // MARK: Doing

    private func carryOut(_ plan: Plan) async throws {
        try await self.sweep.extend(self.holder)
        for (credential, user, generation) in plan.proven + plan.surplus {
            let surplus = Surplus(
                ids: [credential.id], user: user, generation: generation,
                name: self.sweep.names.name(for: user, generation: generation), tag: self.tag)
            try await self.inOneTransaction(surplus.statements)
        }
        for (user, generation) in plan.evidence {
            _ = try await self.sweep.pool.query(SweepCorrections.makeLook(user, generation))
        }
        for user in plan.orphans { _ = try await self.sweep.pool.query(SweepCorrections.adopt(user)) }
        for (user, generation) in plan.ahead {
            try await self.inOneTransaction(SweepCorrections.catchUp(user, generation))
        }
        for (id, user) in plan.reopened {
            try await self.inOneTransaction([UserLock.take(user), SweepCorrections.reopen(id)])
        }
        for (id, row) in plan.gone {
            try await self.inOneTransaction(SweepCorrections.reprovision(row.user, id))
        }
        for (id, row) in plan.closed { try await self.inOneTransaction(SweepCorrections.close(row.user, id)) }
        for id in plan.missing { _ = try await self.sweep.pool.query(SweepStatements.missing(id, isMissing: true)) }
        for id in plan.found { _ = try await self.sweep.pool.query(SweepStatements.missing(id, isMissing: false)) }
        for id in plan.moved {
            _ = try await self.sweep.pool.query(SweepStatements.retag(id, self.tag, of: self.tenant))
        }
    }

    /// Remembered, so that every create looks first; or deleted, by an operator's word, unless somebody has adopted it
    /// since. Answers how many were deleted.
    private func report(_ strays: [TelephonyCredential]) async throws -> Int {
        guard !strays.isEmpty else { return 0 }
        guard self.sweep.options.deletesStrays else {
            let rows = strays.map { (id: $0.id, name: $0.name ?? "", tag: self.tag) }
            _ = try await self.sweep.pool.query(Strays.remember(rows))
            return 0
        }
        var deleted = 0
        let others = try await self.ownersElsewhere(of: strays)
        for stray in strays where !others.contains(stray.id) {
            try await self.sweep.extend(self.holder)
            _ = try await self.sweep.pool.query(
                Strays.doom(stray.id, name: stray.name ?? "", tag: self.tag))
            let isOwned = try await self.sweep.pool.withTransaction { connection in
                // Waits for every record that began before the mark was there.
                _ = try await connection.query("lock table dialtone.credentials in share mode")
                return try await !connection.query(Strays.owner(of: stray.id)).isEmpty
            }
            if isOwned {
                _ = try await self.sweep.pool.query(Strays.forget(stray.id))
                continue
            }
            do throws(TelnyxFailure) {
                _ = try await self.sweep.provider.delete(stray.id)
            } catch {
                // Known for what it is; the next such sweep deletes it.
                if !error.isNotFound { continue }
            }
            deleted += 1
            _ = try await self.sweep.pool.query(Strays.forget(stray.id))
        }
        return deleted
    }

    private func inOneTransaction(_ statements: [SQL]) async throws {
        try await self.sweep.pool.withConnection { connection in
            for answer in try await connection.pipeline([statements])[0] { _ = try answer.get() }
        }
    }
}
