// SPDX-License-Identifier: Apache-2.0
// Listed and not known: the name says whose a credential is, and committed rows say what becomes of it.

import Foundation
import Model
import Postgres
import Telnyx

extension TagVisit {
    /// Enters in the plan what becomes of each listed credential.
    func explain(
        _ listed: [TelephonyCredential], _ ledger: TagLedger, _ plan: inout TagPlan, _ calls: inout VisitCalls,
        _ report: inout SweepReport
    ) async throws {
        var unknown: [TelephonyCredential] = []
        for credential in listed {
            if let row = ledger.known[credential.id] {
                try await self.explainKnown(credential, row, &plan, &calls)
            } else if ledger.surplus.contains(credential.id) {
                continue
            } else if self.sweep.names.isOurs(credential.name ?? "") {
                unknown.append(credential)
            } else {
                report.foreign += 1
            }
        }
        guard !unknown.isEmpty else { return }
        let unrecorded = try await self.explainRecorded(unknown, listed: listed.count, &plan)
        let owners = try await self.owners(of: unrecorded, ledger)
        let present = Set(listed.map(\.id))
        let owned = Set(
            ledger.known.filter { present.contains($0.key) }
                .map { OwnedName(user: $1.user, generation: $1.generation) })
        for credential in unrecorded {
            guard let owner = owners[credential.id] else {
                plan.strays.append(credential)
                continue
            }
            // The provider does not document whether its filter is exact. A credential of another tenant is left to the
            // visits of that tenant.
            guard owner.user.tenant == self.tag.tenant else {
                plan.othersTenants += 1
                continue
            }
            let verdict = try await self.sweep.verdict(owner)
            plan.add(
                OwnedCredential(credential: credential, owner: owner), verdict, isOwnerSeen: owned.contains(owner))
        }
    }

    /// The ledger has it under this tag.
    private func explainKnown(
        _ credential: TelephonyCredential, _ row: LedgerCredential, _ plan: inout TagPlan, _ calls: inout VisitCalls
    ) async throws {
        if row.isMissing { plan.found.append(credential.id) }
        guard credential.expired && row.isActive else { return }
        // Expiry is final at the provider, so the user needs another credential. The flag in a list alone takes nothing
        // away; the credential itself is asked for.
        do {
            if case .expired = try await self.ask(credential.id, &calls) { plan.expired.append((credential.id, row)) }
        } catch VisitStop.outOfCalls {
            plan.isUnfinished = true
        }
    }

    /// The ledger has it under another tag, or has deleted it. Returns the credentials that it does not have at all.
    ///
    /// Another tenant's credential, or more than a few of other tags, say that the filter is not exact. Then no tag is
    /// corrected.
    private func explainRecorded(
        _ credentials: [TelephonyCredential], listed: Int, _ plan: inout TagPlan
    ) async throws -> [TelephonyCredential] {
        var recorded: Set<ProviderID> = []
        var moved: [ProviderID] = []
        for row in try await self.sweep.pool.query(
            Self.elsewhere(credentials.map(\.id), landingTime: self.sweep.landingTime))
        {
            var columns = row.columns
            let (id, tenant, user): (ProviderID, TenantID, UserID) = (
                try columns.next(), try columns.next(), try columns.next()
            )
            let (isDeleted, isLongDeleted, isSurplus): (Bool, Bool, Bool) = (
                try columns.next(), try columns.next(), try columns.next()
            )
            guard recorded.insert(id).inserted else { continue }
            guard tenant == self.tag.tenant else {
                plan.othersTenants += 1
                continue
            }
            switch (isDeleted, isSurplus) {
            case (false, _): moved.append(id)
            case (true, false) where isLongDeleted: plan.reopened.append((id, UserKey(tenant: tenant, user: user)))
            case (true, true) where isLongDeleted: plan.reopenedSurplus.append(id)
            // A list may show for a while what was deleted just now.
            case (true, _): break
            }
        }
        if plan.othersTenants > 0 || moved.count > Self.tolerated(of: listed) { plan.isInexact = true }
        if !plan.isInexact { plan.moved = moved }
        return credentials.filter { !recorded.contains($0.id) }
    }

    /// Reads which of these ids the ledger has anywhere, credentials first. Then whether it was deleted, whether so
    /// long ago that no list should show it, and whether it is surplus. Indexes credentials_provider_id_key and
    /// surplus_pkey.
    private static func elsewhere(_ ids: [ProviderID], landingTime: Duration) -> SQL {
        """
        select * from (
            select provider_id, tenant_id, user_id, status = 'deleted',
                   coalesce(status = 'deleted' and deleted_at < clock_timestamp() - \(landingTime), false),
                   false as is_surplus
            from dialtone.credentials where provider_id = any(\(ids))
            union all
            select provider_id, tenant_id, user_id, deleted_at is not null,
                   coalesce(deleted_at < clock_timestamp() - \(landingTime), false), true
            from dialtone.surplus where provider_id = any(\(ids)) and user_id is not null) recorded
        order by is_surplus
        """
    }

    // MARK: Names

    /// Returns whose the names are, as far as rows tell: those of the tag first, then a credential of that name
    /// anywhere. A name that was searched for before is not searched for again.
    private func owners(
        of credentials: [TelephonyCredential], _ ledger: TagLedger
    ) async throws -> [ProviderID: OwnedName] {
        var open = OpenNames(credentials)
        let ofTag = ledger.known.values.map { OwnedName(user: $0.user, generation: $0.generation) }
        for owner in ofTag + ledger.pending where !open.isEmpty { open.match(owner, self.sweep.names) }
        let unsearched = credentials.filter { open.contains($0.id) && !ledger.strays.contains($0.id) }
        guard !unsearched.isEmpty else { return open.owners }
        for row in try await self.sweep.pool.query(OpenNames.recorded(unsearched)) {
            var columns = row.columns
            let user = UserKey(tenant: try columns.next(), user: try columns.next())
            open.match(OwnedName(user: user, generation: try columns.next()), self.sweep.names)
        }
        return open.owners
    }
}

extension TagPlan {
    /// The ledger does not have it, and its name is that of `owner`. `isOwnerSeen`: the list shows the credential that
    /// owns this generation.
    mutating func add(_ found: OwnedCredential, _ verdict: Verdict, isOwnerSeen: Bool) {
        var found = found
        found.kind = verdict.finding
        switch verdict {
        case .second where isOwnerSeen: self.proven.append(found)
        case .second, .closed: self.surplus.append(found)
        case .overtaken: self.overtaken.append(found)
        case .evidence: self.evidence.append(found)
        // An expired credential serves nobody. A user who wants one gets another.
        case .orphan where found.credential.expired: self.surplus.append(found)
        case .orphan: self.orphans.append(found)
        case .ahead: self.ahead.append(found)
        case .stray: self.strays.append(found.credential)
        }
    }
}
