// SPDX-License-Identifier: Apache-2.0
// Why a user cannot be erased now: something is still to be done that needs the user's name.

import Model
import Postgres

/// The first reason of the list that holds. The text goes on after "the user".
package enum ErasureObstacle: String, Equatable, Sendable, CaseIterable {
    case unknown, live, job, credential, surplus, doubt, quarantine, recent

    package var description: String {
        switch self {
        case .unknown: "is not there"
        case .live: "is wanted or is being revoked; run dialtone user revoke, and come again when the user is revoked"
        case .job: "has a job, so the provider is still asked about a credential; come again when it is done"
        case .credential: "has a credential that is not deleted; come again when it is"
        case .surplus: "has a second credential that is still to be deleted; come again when it is"
        case .doubt: "has a create that may still land; its name is looked up for a day; come again after that"
        case .quarantine:
            "is named by an event in quarantine; replay or drop it first: dialtone event list --quarantined"
        case .recent: "was worked on a moment ago; come again in a minute"
        }
    }

    /// Reads which obstacle there is. Returns one row: its name, or null; or no row for a user who is not there.
    ///
    /// `settle` is how long nothing must have happened. A statement of intake that began while the user was made must
    /// have ended, or it would begin the user anew as of then.
    ///
    /// Indexes users_pkey, jobs_tenant_id_user_id_key, credentials_pkey, surplus_user, doubts_pkey, quarantine_open and
    /// job_log_user; `sources` is read whole.
    static func find(_ user: UserKey, settle: Duration) -> SQL {
        """
        select case
            when owner.wanted <> 'gone' or owner.status <> 'revoked' then 'live'
            when exists (select 1 from dialtone.jobs
                         where jobs.tenant_id = owner.tenant_id and jobs.user_id = owner.user_id offset 0) then 'job'
            when exists (select 1 from dialtone.credentials
                         where credentials.tenant_id = owner.tenant_id and credentials.user_id = owner.user_id
                           and credentials.status <> 'deleted' offset 0) then 'credential'
            when exists (select 1 from dialtone.surplus
                         where surplus.tenant_id = owner.tenant_id and surplus.user_id = owner.user_id
                           and surplus.deleted_at is null offset 0) then 'surplus'
            when exists (select 1 from dialtone.doubts
                         where doubts.tenant_id = owner.tenant_id and doubts.user_id = owner.user_id offset 0)
                then 'doubt'
            when \(Self.isInQuarantine) then 'quarantine'
            when exists (select 1 from dialtone.job_log
                         where job_log.tenant_id = owner.tenant_id and job_log.user_id = owner.user_id
                           and job_log.at > statement_timestamp() - \(settle) offset 0) then 'recent' end
        from dialtone.users owner
        where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)
        """
    }

    /// What a mapping has read of an event in quarantine names the person. Sources of other tenants do not count.
    private static let isInQuarantine: SQL = """
        exists (select 1 from dialtone.sources source
                cross join lateral (
                    -- PostgreSQL has no text with NUL, which an old row may hold.
                    select case when strpos(quarantine.picks::text, '\\u0000') = 0 then quarantine.picks end as picks
                    from dialtone.quarantine
                    where quarantine.source_id = source.source_id and quarantine.settled_at is null
                    order by quarantine.arrived_at offset 0) open
                where coalesce(source.tenant_id, owner.tenant_id) = owner.tenant_id
                  and open.picks->>'user_id' = owner.user_id offset 0)
        """
}
