// SPDX-License-Identifier: Apache-2.0
// The ledger's part in the search for missing credentials: which is next, that it is there, and what replaces it.

import Model
import Postgres
import Queue

enum MissingStatements {
    /// Reads the missing credential after `place` whose first 404 is `settle` old: tenant, user, id, and since when.
    /// Index credentials_missing.
    static func next(after place: MissingCredentials.Place, settle: Duration) -> SQL {
        """
        select tenant_id, user_id, provider_id, missing_since::text from dialtone.credentials
        where status = 'active' and missing_since is not null and missing_since < statement_timestamp() - \(settle)
          and (missing_since, provider_id) > (\(place.since)::text::timestamptz, \(place.id)::text)
        order by credentials.missing_since, credentials.provider_id limit 1
        """
    }

    /// It is there again. Index credentials_provider_id_key.
    static func isThere(_ id: ProviderID) -> SQL {
        """
        update dialtone.credentials set missing_since = null
        where provider_id = \(id) and status = 'active' and missing_since is not null
        """
    }

    /// Closes the generation of a credential that is gone and opens the next one, in one transaction behind the user's
    /// lock. The job looks first: a ledger that was restored may have forgotten that the next one was made.
    static func replace(_ id: ProviderID, of user: UserKey) -> [SQL] {
        [
            UserLock.take(user), Self.close(id, of: user), NextGoal.openNext(user), Self.enqueue(user),
            Self.retarget(user),
        ]
    }

    /// Closes what is still missing, and gives its slot back. Indexes credentials_provider_id_key and
    /// tenant_tags_tag_key.
    private static func close(_ id: ProviderID, of user: UserKey) -> SQL {
        """
        with closed as (
            update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp()
            where provider_id = \(id) and status = 'active' and missing_since is not null
            returning tag)
        update dialtone.tenant_tags set held = greatest(0, held - 1), changed_at = clock_timestamp()
        where tenant_id = \(user.tenant) and tag = (select tag from closed)
        """
    }

    private static func enqueue(_ user: UserKey) -> SQL {
        """
        with vanished as (
            select tenant_id, user_id, generation, \(ServerClock.now) as place, clock_timestamp() as enqueued_at
            from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user))
        \(JobQueue.enqueue(from: "vanished", looksFirst: true))
        """
    }

    /// Turns a job of an older generation to the wanted one, which it makes after a look. A delete that the job was to
    /// do stays due at its time.
    ///
    /// A job that a worker holds or that was ever in doubt is left alone. Locks the job, behind the user's lock. Unique
    /// key of jobs (tenant_id, user_id).
    private static func retarget(_ user: UserKey) -> SQL {
        """
        with before as materialized (
            select job.id, job.state, owner.generation as wanted
            from dialtone.users owner
            join dialtone.jobs job on job.tenant_id = owner.tenant_id and job.user_id = owner.user_id
            where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user) and owner.wanted = 'live'
              and job.generation < owner.generation and job.state in ('queued', 'scheduled', 'in_doubt')
              and not job.in_doubt
            for no key update of job),
        turned as (
            update dialtone.jobs
            set generation = before.wanted, state = 'in_doubt', tag = null, run_at = clock_timestamp(),
                quiet_until = null, attempts = 0, crashes = 0, failures = 0
            from before where jobs.id = before.id
            returning \(JobLog.changedJob), before.state as from_state)
        \(JobLog.write(from: "turned"))
        """
    }
}
