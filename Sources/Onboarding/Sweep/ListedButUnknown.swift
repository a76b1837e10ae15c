// SPDX-License-Identifier: Apache-2.0
// Listed and not known: whose it is, by its name, and what committed rows say becomes of it.

import Foundation
import Model
import Postgres
import Telnyx

extension SweptTag {
    /// A generation of a user whose own credential was seen in this list.
    private struct Owned: Hashable {
        var user: UserKey
        var generation: Generation
    }

    func explain(
        _ listed: [TelephonyCredential], _ known: [ProviderID: Known], _ plan: inout Plan, _ report: inout SweepReport
    ) async throws {
        var unexplained: [TelephonyCredential] = []
        for credential in listed {
            guard let row = known[credential.id] else {
                if self.sweep.names.isOurs(credential.name ?? "") {
                    unexplained.append(credential)
                } else {
                    report.foreign += 1
                }
                continue
            }
            // Expired is terminal at the provider: its user needs another. A flag in a list alone takes nothing away.
            if credential.expired && row.isActive, case .expired = try await self.ask(credential.id) {
                plan.gone.append((credential.id, row))
            }
            if row.isMissing { plan.found.append(credential.id) }
        }
        guard !unexplained.isEmpty else { return }
        var elsewhere: [ProviderID: (user: UserKey, mustReopen: Bool, isDeleted: Bool)] = [:]
        for row in try await self.sweep.pool.query(
            SweepStatements.elsewhere(unexplained.map(\.id), landingTime: self.sweep.landingTime))
        {
            var columns = row.columns
            let id: ProviderID = try columns.next()
            let user = UserKey(tenant: try columns.next(), user: try columns.next())
            _ = try columns.next(Int32.self)
            elsewhere[id] = (user, try columns.next(), try columns.next())
        }
        // Whether the filter is exact is not documented: what is another tenant's is left to that tenant's own sweep.
        let own = elsewhere.filter { $0.value.user.tenant == self.tenant }
        plan.others = elsewhere.count - own.count
        plan.moved = own.filter { !$0.value.isDeleted }.map(\.key)
        plan.reopened = own.filter(\.value.mustReopen).map { ($0.key, $0.value.user) }
        let nameless = unexplained.filter { elsewhere[$0.id] == nil }
        let owners = try await self.owners(of: nameless, in: self.tenant)
        let present = Set(listed.map(\.id))
        let owned = Set(
            known.filter { present.contains($0.key) }.map { Owned(user: $1.user, generation: $1.generation) })
        for credential in nameless {
            guard let (user, generation) = owners[credential.id] else {
                plan.strays.append(credential)
                continue
            }
            let row = try await self.sweep.pool.query(SweepStatements.verdict(user, generation)).first
            switch try row?.decode(String.self) {
            case "second" where owned.contains(Owned(user: user, generation: generation)):
                plan.proven.append((credential, user, generation))
            case "second": plan.surplus.append((credential, user, generation))
            case "surplus": plan.surplus.append((credential, user, generation))
            case "evidence": plan.evidence.append((user, generation))
            // One that has expired serves nobody; whoever wants one gets another.
            case "orphan" where credential.expired: plan.surplus.append((credential, user, generation))
            case "orphan": plan.orphans.append(user)
            case "ahead": plan.ahead.append((user, generation))
            default: plan.strays.append(credential)
            }
        }
    }

    /// Those that bear another tenant's names: on their way into the ledger, and shown by a filter that is not exact.
    func ownersElsewhere(of strays: [TelephonyCredential]) async throws -> Set<ProviderID> {
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

    /// Whose names these are: a name cannot be read backwards, so the tenant's users are gone through until all are
    /// found.
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
                let user = UserKey(tenant: tenant, user: try UserID(id))
                // A generation or two beyond: those a fail-over may have made the ledger forget.
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
}
