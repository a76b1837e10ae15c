// SPDX-License-Identifier: Apache-2.0
// The ledger's side of the comparison with a tag's list.

import Foundation
import Model
import Postgres

/// A credential that the ledger has under a tag, unless it is deleted.
struct LedgerCredential {
    var user: UserKey
    var generation: Generation
    var isActive: Bool
    /// Whether it is to be deleted.
    var isClosing: Bool { !self.isActive }
    var isOldEnoughToBeListed: Bool
    var isMissing: Bool
}

/// A user's credential of one generation, which a name at the provider may be that of.
struct OwnedName: Hashable {
    var user: UserKey
    var generation: Generation
}

/// What the ledger has of one tag, all read under one snapshot.
struct TagLedger {
    var known: [ProviderID: LedgerCredential] = [:]
    /// Open surplus of users.
    var surplus: Set<ProviderID> = []
    /// Open surplus of nobody. The value says whether a list should show it by now, and every worker know its name.
    var oldStrays: [ProviderID: Bool] = [:]
    /// What is on its way: of jobs that hold a slot, and of creates that were in doubt.
    var pending: [OwnedName] = []

    var strays: Set<ProviderID> { Set(self.oldStrays.keys) }

    static func read(_ tag: DueTag, on sweep: Sweep) async throws -> TagLedger {
        var ledger = TagLedger()
        for row in try await sweep.pool.query(Self.rows(of: tag, landingTime: sweep.landingTime)) {
            try ledger.add(row)
        }
        return ledger
    }

    private mutating func add(_ row: PostgresRow) throws {
        var columns = row.columns
        let kind = try columns.next(String.self)
        let tenant: TenantID? = try columns.next()
        let user: String? = try columns.next()
        let generation: Int32? = try columns.next()
        let id: ProviderID? = try columns.next()
        let isActive: Bool = try columns.next()
        let isOld: Bool = try columns.next()
        let isMissing: Bool = try columns.next()
        var owner: OwnedName?
        if let tenant, let user, let generation {
            owner = OwnedName(
                user: UserKey(tenant: tenant, user: try UserID(existing: user)), generation: generation)
        }
        switch (kind, id, owner) {
        case ("credential", let id?, let owner?):
            self.known[id] = LedgerCredential(
                user: owner.user, generation: owner.generation, isActive: isActive, isOldEnoughToBeListed: isOld,
                isMissing: isMissing)
        case ("surplus", let id?, nil): self.oldStrays[id] = isOld
        case ("surplus", let id?, _): self.surplus.insert(id)
        case ("pending", _, let owner?): self.pending.append(owner)
        default: break
        }
    }

    /// Indexes credentials_tag, surplus_tag, jobs_tag and doubts_pkey, the last by tenant.
    private static func rows(of tag: DueTag, landingTime: Duration) -> SQL {
        """
        select 'credential', tenant_id, user_id, generation, provider_id, status = 'active',
               created_at < clock_timestamp() - \(landingTime),
               missing_since is not null
        from dialtone.credentials where tag = \(tag.tag) and status <> 'deleted'
        union all
        select 'surplus', tenant_id, user_id, generation, provider_id, false,
               found_at < clock_timestamp() - \(max(landingTime, StrayNames.maximumAge)), false
        from dialtone.surplus where tag = \(tag.tag) and deleted_at is null
        union all
        select 'pending', tenant_id, user_id, generation, null, false, false, false
        from dialtone.jobs where tag = \(tag.tag)
        union all
        select 'pending', tenant_id, user_id, generation, null, false, false, false
        from dialtone.doubts where tenant_id = \(tag.tenant) and tag = \(tag.tag)
        """
    }
}
