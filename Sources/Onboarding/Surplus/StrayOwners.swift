// SPDX-License-Identifier: Apache-2.0
// The owners of strays are searched for among all users: a walk of hashes, once a day for each stray.

import Foundation
import Model
import Postgres
import Telnyx

/// Searches the users of tenants for the owners of names.
struct StrayOwners {
    let sweep: Sweep

    /// What the walk has come to.
    struct Result {
        /// Those that nobody has.
        var strays: [Stray] = []
        /// Those that are their owners' surplus now.
        var surplus: [ProviderID] = []
        var remembered = 0
    }

    /// Finds owners and does with each credential what committed rows say. A tag that names no tenant has the users of
    /// all tenants searched, and so have all tags with `isEverywhere`.
    ///
    /// Cancelled here: what is left is searched for again, after a day at the latest.
    func settle(_ strays: [Stray], isEverywhere: Bool, _ report: inout SweepReport) async throws -> Result {
        guard !strays.isEmpty else { return Result() }
        let owners = try await self.owners(of: strays, isEverywhere: isEverywhere)
        var result = Result()
        var taking: [String: [(Stray, OwnedName, Verdict)]] = [:]
        for stray in strays {
            guard let owner = owners[stray.id] else {
                result.strays.append(stray)
                continue
            }
            let verdict = try await self.sweep.verdict(owner)
            switch verdict {
            case .second, .closed, .overtaken: taking[stray.tag ?? "", default: []].append((stray, owner, verdict))
            case .stray: result.strays.append(stray)
            case .evidence, .orphan, .ahead:
                report.evidence += 1
                let found = FoundCredential(id: stray.id, owner: owner, tag: stray.tag)
                if !self.sweep.options.isDryRun { try await self.help(found, verdict) }
            }
        }
        for (tag, found) in taking { try await self.take(found, tag, &result, &report) }
        return result
    }

    /// The user's job looks, and adopts it. The row goes when it is recorded.
    private func help(_ found: FoundCredential, _ verdict: Verdict) async throws {
        switch verdict {
        case .evidence: try await self.sweep.inOneTransaction(SweepCorrections.makeLook(found))
        case .orphan: try await self.sweep.inOneTransaction(SweepCorrections.adopt(found))
        case .ahead: try await self.sweep.inOneTransaction(SweepCorrections.catchUp(found))
        case .second, .closed, .overtaken, .stray: break
        }
    }

    /// What nobody wants becomes its user's surplus. More than a visit may take away of one tag waits for an operator's
    /// word.
    private func take(
        _ found: [(Stray, OwnedName, Verdict)], _ tag: String, _ result: inout Result, _ report: inout SweepReport
    ) async throws {
        let row = try await self.sweep.pool.query("select held from dialtone.tenant_tags where tag = \(tag)").first
        let held = try row?.decode(Int.self) ?? 0
        guard found.count <= TagVisit.tolerated(of: held) || self.sweep.options.isConfirmed else {
            if !report.stopped.contains(tag) { report.stopped.append(tag) }
            if !self.sweep.options.isDryRun {
                _ = try await self.sweep.pool.query(
                    "update dialtone.tenant_tags set would_change = \(Int32(found.count)) where tag = \(tag)")
            }
            return
        }
        report.surplus += found.count
        guard !self.sweep.options.isDryRun else { return }
        for (stray, owner, verdict) in found {
            if verdict == .overtaken {
                // A sign-up has come in between, and wants this very generation. Its job must go on finding the stray.
                guard try await self.sweep.inOneTransaction(SweepCorrections.overtake(owner)) > 0 else { continue }
            }
            result.remembered += try await self.sweep.remember(stray.id, owner, tag: stray.tag, as: verdict.finding)
            result.surplus.append(stray.id)
        }
    }

    // MARK: The walk

    private func owners(of strays: [Stray], isEverywhere: Bool) async throws -> [ProviderID: OwnedName] {
        let tenants = try await self.sweep.pool.query("select tenant_id from dialtone.tenants order by tenant_id").map {
            row -> TenantID in
            var columns = row.columns
            return try columns.next()
        }
        let known = Set(tenants)
        var owners: [ProviderID: OwnedName] = [:]
        for tenant in tenants {
            let possible = strays.filter { stray in
                guard owners[stray.id] == nil else { return false }
                guard !isEverywhere, let own = stray.tenant, known.contains(own) else { return true }
                return own == tenant
            }
            guard !possible.isEmpty else { continue }
            owners.merge(try await self.owners(of: possible, in: tenant)) { first, _ in first }
        }
        return owners
    }

    /// Computes the names of all users of the tenant until every stray has its owner. Index users_pkey, by page.
    private func owners(of strays: [Stray], in tenant: TenantID) async throws -> [ProviderID: OwnedName] {
        var open = OpenNames(
            strays.map { TelephonyCredential(id: $0.id, name: $0.name, sipUsername: nil, sipPassword: nil) })
        var last = ""
        while !open.isEmpty {
            let rows = try await self.sweep.pool.query(
                """
                select user_id, generation from dialtone.users where tenant_id = \(tenant) and user_id > \(last)
                order by user_id limit 2000
                """)
            guard !rows.isEmpty else { break }
            for row in rows {
                let (id, generation) = try row.decode(String.self, Int32.self)
                last = id
                let user = UserKey(tenant: tenant, user: try UserID(existing: id))
                // Two generations beyond the ledger's: a fail-over may have made it forget that many.
                for number in 1...generation + 2 {
                    open.match(OwnedName(user: user, generation: number), self.sweep.names)
                }
            }
        }
        return open.owners
    }
}
