// SPDX-License-Identifier: Apache-2.0
// One tag during a sweep: list it, plan what differs from the ledger, judge the plan, carry it out, count the tag.

import Foundation
import Model
import Postgres
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

    /// Returns how many credentials the tag holds at the provider; nil when it could not be listed.
    ///
    /// `before` holds the ids listed for the previous tag. A shard that the ledger does not know may show only those
    /// ids. Then the provider has ignored the tag filter, and there is no such shard.
    func compare(_ report: inout SweepReport, before: inout Set<ProviderID>) async throws -> Int? {
        report.tags += 1
        guard let listed = try await self.list(&report) else { return nil }
        let ids = Set(listed.map(\.id))
        if !self.isKnown && ids.isSubset(of: before) { return 0 }
        before = ids
        report.listed += listed.count
        let plan = try await self.plan(listed, &report)
        let permitted = self.judge(plan, listed: listed.count, &report)
        if !self.sweep.options.isDryRun {
            report.remembered += try await self.carryOut(permitted)
            report.straysDeleted += try await self.report(plan.strays)
            try await self.count(listed: listed.count - plan.others)
        }
        return listed.count
    }

    // MARK: List

    /// Returns what the tag holds; nil when it could not be listed, with the reason in the report.
    private func list(_ report: inout SweepReport) async throws -> [TelephonyCredential]? {
        guard try await self.sweep.provider.allowsCalls() else {
            report.failedLists += 1
            report.failure = "calls are held back: see dialtone limit list"
            return nil
        }
        do {
            return try await self.listOnceOrTwice()
        } catch let failure as TelnyxFailure {
            report.failedLists += 1
            report.failure = "\(failure)"
            return nil
        }
    }

    /// Lists the tag once, or twice when the ledger is not trusted and the list has several pages.
    ///
    /// While the ledger is not trusted, a credential that the list leaves out matters. One that came and one that went
    /// between two pages can hide a third from a list that looks whole.
    private func listOnceOrTwice() async throws -> [TelephonyCredential] {
        let query = ListQuery(tag: self.tag)
        let first = try await self.sweep.provider.listWhole(query, until: .now + Sweep.hold / 3)
        guard !self.isTrusted, first.count >= query.pageSize else { return first }
        try await self.sweep.extend(self.holder)
        let second = try await self.sweep.provider.listWhole(query, until: .now + Sweep.hold / 3)
        let ids = Set(first.map(\.id))
        return first + second.filter { !ids.contains($0.id) }
    }

    // MARK: Plan

    private func plan(_ listed: [TelephonyCredential], _ report: inout SweepReport) async throws -> TagPlan {
        let known = try await self.known()
        var plan = TagPlan()
        try await self.explain(listed, known, &plan, &report)
        try await self.miss(listed, known, &plan)
        plan.closed = try await self.closings(listed, known)
        return plan
    }

    private func known() async throws -> [ProviderID: LedgerCredential] {
        var known: [ProviderID: LedgerCredential] = [:]
        for row in try await self.sweep.pool.query(
            SweepStatements.ledger(of: self.tag, landingTime: self.sweep.landingTime))
        {
            var columns = row.columns
            let user = UserKey(tenant: try columns.next(), user: try columns.next())
            let generation: Generation = try columns.next()
            let id: ProviderID = try columns.next()
            let status: CredentialStatus = try columns.next()
            known[id] = LedgerCredential(
                user: user, generation: generation, isActive: status == .active,
                isOldEnoughToBeListed: try columns.next(),
                isMissing: try columns.next(), isLongMissing: try columns.next(Bool?.self) ?? false)
        }
        return known
    }

    // MARK: Judge

    /// Enters the plan in the report and returns what may be done of it. More than five changes that take something
    /// away, and more than 1 % of the tag, need an operator's confirmation.
    private func judge(_ plan: TagPlan, listed: Int, _ report: inout SweepReport) -> TagPlan {
        report.strays += plan.strays.count
        report.strayNames += plan.strays.prefix(max(0, 100 - report.strayNames.count)).map { $0.name ?? "" }
        report.evidence += plan.evidence.count + plan.orphans.count + plan.ahead.count
        report.unproven += plan.unproven
        report.expected += plan.expected
        report.seen += plan.seen
        guard plan.takenAway <= max(5, listed / 100) || self.sweep.options.isConfirmed else {
            report.stopped.append(self.tag)
            return plan.harmless
        }
        report.surplus += plan.surplus.count + plan.proven.count
        report.reopened += plan.reopened.count
        report.missing += plan.missing.count
        report.reprovisioned += plan.gone.count
        return plan
    }

    // MARK: Carry out

    /// Returns how many second credentials it was the first to remember.
    private func carryOut(_ plan: TagPlan) async throws -> Int {
        try await self.sweep.extend(self.holder)
        let remembered = try await self.remember(plan.proven + plan.surplus)
        for (user, generation) in plan.evidence {
            try await self.inOneTransaction(SweepCorrections.makeLook(user, generation))
        }
        for user in plan.orphans { try await self.inOneTransaction(SweepCorrections.adopt(user)) }
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
        return remembered
    }

    private func remember(_ second: [(TelephonyCredential, UserKey, Generation)]) async throws -> Int {
        var remembered = 0
        for (credential, user, generation) in second {
            let surplus = Surplus(
                ids: [credential.id], user: user, generation: generation,
                name: self.sweep.names.name(for: user, generation: generation), tag: self.tag)
            remembered += try await self.inOneTransaction(surplus.statements)
        }
        return remembered
    }

    // MARK: Count

    private func count(listed: Int) async throws {
        try await self.inOneTransaction(
            SweepStatements.count(self.tenant, self.shard, tag: self.tag, listed: listed))
    }

    /// Returns how many rows the last statement has changed.
    @discardableResult
    private func inOneTransaction(_ statements: [SQL]) async throws -> Int {
        try await self.sweep.pool.withConnection { connection in
            var changed = 0
            for answer in try await connection.pipeline([statements])[0] { changed = try answer.get().affected }
            return changed
        }
    }
}
