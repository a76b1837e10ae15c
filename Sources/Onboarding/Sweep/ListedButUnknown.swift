// SPDX-License-Identifier: Apache-2.0
// Listed and not known: the name says whose a credential is, and committed rows say what becomes of it.

import Foundation
import Model
import Postgres
import Telnyx

extension SweptTag {
    /// A generation of a user whose own credential was seen in this list.
    private struct OwnedGeneration: Hashable {
        var user: UserKey
        var generation: Generation
    }

    /// Enters in the plan what becomes of each listed credential.
    func explain(
        _ listed: [TelephonyCredential], _ known: [ProviderID: LedgerCredential], _ plan: inout TagPlan,
        _ report: inout SweepReport
    ) async throws {
        var unexplained: [TelephonyCredential] = []
        for credential in listed {
            if let row = known[credential.id] {
                try await self.explainKnown(credential, row, &plan)
            } else if self.sweep.names.isOurs(credential.name ?? "") {
                unexplained.append(credential)
            } else {
                report.foreign += 1
            }
        }
        guard !unexplained.isEmpty else { return }
        let unrecorded = try await self.explainRecorded(unexplained, &plan)
        let owners = try await self.owners(of: unrecorded, in: self.tenant)
        let present = Set(listed.map(\.id))
        let owned = Set(
            known.filter { present.contains($0.key) }
                .map { OwnedGeneration(user: $1.user, generation: $1.generation) })
        for credential in unrecorded {
            guard let (user, generation) = owners[credential.id] else {
                plan.strays.append(credential)
                continue
            }
            let isOwnerSeen = owned.contains(OwnedGeneration(user: user, generation: generation))
            try await self.explainByName(credential, user, generation, isOwnerSeen: isOwnerSeen, &plan)
        }
    }

    /// The ledger has it under this tag.
    private func explainKnown(
        _ credential: TelephonyCredential, _ row: LedgerCredential, _ plan: inout TagPlan
    ) async throws {
        // Expiry is final at the provider, so the user needs another credential. The flag in a list alone takes nothing
        // away; the credential itself is asked for.
        if credential.expired && row.isActive, case .expired = try await self.ask(credential.id) {
            plan.gone.append((credential.id, row))
        }
        if row.isMissing { plan.found.append(credential.id) }
    }

    /// The ledger has it under another tag, or has deleted it. Returns the credentials that it does not have at all.
    ///
    /// The provider does not document whether its filter is exact. A credential of another tenant is therefore left to
    /// the sweep of that tenant.
    private func explainRecorded(
        _ credentials: [TelephonyCredential], _ plan: inout TagPlan
    ) async throws -> [TelephonyCredential] {
        var recorded: [ProviderID: (user: UserKey, mustReopen: Bool, isDeleted: Bool)] = [:]
        for row in try await self.sweep.pool.query(
            SweepStatements.elsewhere(credentials.map(\.id), landingTime: self.sweep.landingTime))
        {
            var columns = row.columns
            let id: ProviderID = try columns.next()
            let user = UserKey(tenant: try columns.next(), user: try columns.next())
            _ = try columns.next(Int32.self)
            recorded[id] = (user, try columns.next(), try columns.next())
        }
        let own = recorded.filter { $0.value.user.tenant == self.tenant }
        plan.others = recorded.count - own.count
        plan.moved = own.filter { !$0.value.isDeleted }.map(\.key)
        plan.reopened = own.filter(\.value.mustReopen).map { ($0.key, $0.value.user) }
        return credentials.filter { recorded[$0.id] == nil }
    }

    /// The ledger does not have it, and its name is that of a generation of `user`. `isOwnerSeen`: the list shows the
    /// credential that owns this generation.
    private func explainByName(
        _ credential: TelephonyCredential, _ user: UserKey, _ generation: Generation, isOwnerSeen: Bool,
        _ plan: inout TagPlan
    ) async throws {
        let row = try await self.sweep.pool.query(SweepStatements.verdict(user, generation)).first
        switch try row?.decode(String.self) {
        case "second" where isOwnerSeen: plan.proven.append((credential, user, generation))
        case "second", "surplus": plan.surplus.append((credential, user, generation))
        case "evidence": plan.evidence.append((user, generation))
        // An expired credential serves nobody. A user who wants one gets another.
        case "orphan" where credential.expired: plan.surplus.append((credential, user, generation))
        case "orphan": plan.orphans.append(user)
        case "ahead": plan.ahead.append((user, generation))
        default: plan.strays.append(credential)
        }
    }

    /// Returns whose the names are. A name cannot be read backwards, so the names of all users of the tenant are
    /// computed until every credential has its owner.
    private func owners(
        of credentials: [TelephonyCredential], in tenant: TenantID
    ) async throws -> [ProviderID: (UserKey, Generation)] {
        var open = Dictionary(grouping: credentials) { String(($0.name ?? "").prefix(40)) }
        var owners: [ProviderID: (UserKey, Generation)] = [:]
        var last = ""
        while !open.isEmpty {
            let rows = try await self.sweep.pool.query(
                SweepStatements.users(of: tenant, after: last, limit: 2000))
            guard !rows.isEmpty else { break }
            try await self.sweep.extend(self.holder)
            for row in rows {
                let (id, generation) = try row.decode(String.self, Int32.self)
                last = id
                let user = UserKey(tenant: tenant, user: try UserID(existing: id))
                // Two generations beyond the ledger's: a fail-over may have made it forget that many.
                for number in 1...generation + 2 {
                    let name = self.sweep.names.name(for: user, generation: number)
                    for credential in open.removeValue(forKey: String(name.prefix(40))) ?? []
                    where credential.bears(name) {
                        owners[credential.id] = (user, number)
                    }
                }
            }
        }
        return owners
    }

    // MARK: Strays

    /// Remembers strays, so that every create of the tenant looks first. When an operator has ordered it, deletes them
    /// instead, unless a job has adopted one meanwhile. Returns how many were deleted.
    func report(_ strays: [TelephonyCredential]) async throws -> Int {
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
                // This lock waits for every record that began before the mark was there.
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
                // The mark stays, and the next such sweep deletes it.
                if !error.isNotFound { continue }
            }
            deleted += 1
            _ = try await self.sweep.pool.query(Strays.forget(stray.id))
        }
        return deleted
    }

    /// Returns the strays that bear names of another tenant. They are on their way into the ledger, and a filter that
    /// is not exact shows them here.
    private func ownersElsewhere(of strays: [TelephonyCredential]) async throws -> Set<ProviderID> {
        let rows = try await self.sweep.pool.query(SweepStatements.tags(of: nil))
        var owned: Set<ProviderID> = []
        for row in rows {
            let tenant = try TenantID(row.decode(String.self, Int32.self).0)
            guard tenant != self.tenant else { continue }
            let open = strays.filter { !owned.contains($0.id) }
            owned.formUnion(try await self.owners(of: open, in: tenant).keys)
        }
        return owned
    }
}
