// SPDX-License-Identifier: Apache-2.0
// What a visit writes about its tag: when it is due again, what it has counted, and that the tag was seen.

import Foundation
import Lifecycle
import Model
import Postgres

/// The end of one visit.
struct VisitEnd {
    let tag: DueTag
    let outcome: VisitOutcome
    /// Until the next visit.
    let delay: Duration

    /// The statements are one transaction. A new era makes every tag due, so a visit that began before it never puts
    /// its tag off.
    var statements: [SQL] {
        switch self.outcome {
        case .notQuiet: [self.write("busy_since = coalesce(tag.busy_since, clock_timestamp())", due: self.later)]
        case .agreed: [self.write("busy_since = null, failures = 0", due: self.laterIfSeen("clock_timestamp()"))]
        case .failed, .unproven: [self.write("failures = tag.failures + 1", due: self.later)]
        case .heldBack: [self.write("failures = tag.failures", due: self.later)]
        case .listed(let listed): self.writeList(listed)
        }
    }

    /// Trust locks the tenant before the tag, as the opening of a shard does. A tag that the list has not made seen is
    /// due when it can be: after the quiet time, or soon.
    private func writeList(_ listed: ListedTag) -> [SQL] {
        let soon: SQL =
            "greatest(clock_timestamp() + interval '5 seconds', incarnation.quiet_until + interval '1 second')"
        let counted: SQL = listed.isInexact ? "" : ", \(self.counted(listed))"
        let due = listed.isDealtWith ? self.laterIfSeen(soon) : self.later
        return self.trust(listed) + [self.lock, self.write("\(self.facts(listed))\(counted)", due: due)]
    }

    /// A name that is new takes the trust of its tenant away, until every worker has it in its memory.
    private func trust(_ listed: ListedTag) -> [SQL] {
        let (tenant, shard) = (self.tag.tenant, self.tag.shard)
        if listed.hasNewStrays { return TenantTrust.forget(tenant, shard: shard) }
        guard listed.isDealtWith else { return [] }
        return TenantTrust.saw(tenant, shard: shard, era: self.tag.era, began: self.tag.began)
    }

    /// Locks the tag, so that no claim takes a slot before the next statement has counted under its own, later
    /// snapshot. Index tenant_tags_pkey.
    private var lock: SQL {
        """
        select held from dialtone.tenant_tags
        where tenant_id = \(self.tag.tenant) and shard = \(self.tag.shard) for no key update
        """
    }

    private var later: SQL { "clock_timestamp() + \(self.delay)" }

    /// Or `otherwise`, when the tag is not seen in the ledger's present era.
    private func laterIfSeen(_ otherwise: SQL) -> SQL {
        "case when tag.seen_era = incarnation.era then \(self.later) else \(otherwise) end"
    }

    /// Index tenant_tags_pkey.
    private func write(_ columns: SQL, due: SQL) -> SQL {
        """
        update dialtone.tenant_tags tag set due_at = \(due), \(columns)
        from dialtone.incarnation
        where tag.tenant_id = \(self.tag.tenant) and tag.shard = \(self.tag.shard)
        """
    }

    private func facts(_ listed: ListedTag) -> SQL {
        """
        listed_at = \(self.tag.began), failures = 0, busy_since = null, miscounts = \(Int32(listed.miscounts)),
        others = coalesce(\(listed.others.map(Int32.init)), tag.others),
        would_change = \(listed.wouldChange.map(Int32.init))
        """
    }

    /// How many slots are taken: what the ledger and its jobs hold, or what the provider holds, whichever is more.
    private func counted(_ listed: ListedTag) -> SQL {
        """
        empty_since = case when \(listed.held) = 0 then coalesce(tag.empty_since, clock_timestamp()) end,
        held = greatest(
            \(Int32(listed.held)),
            -- Index credentials_tag.
            (select count(*)::int from dialtone.credentials credential
             where credential.tag = tag.tag and credential.status <> 'deleted')
            -- Index jobs_tag. A job whose credential is recorded already is counted above.
            + (select count(*)::int from dialtone.jobs job
               where job.tenant_id = tag.tenant_id and job.tag = tag.tag
                 and not exists (select 1 from dialtone.credentials credential
                                 where credential.tenant_id = job.tenant_id
                                   and credential.user_id = job.user_id
                                   and credential.generation = job.generation
                                   and credential.status <> 'deleted')))
        """
    }
}
