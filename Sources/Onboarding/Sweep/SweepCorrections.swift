// SPDX-License-Identifier: Apache-2.0
// What a visit repairs in the ledger: jobs that are missing, and rows that differ from what the provider has.

import Model
import Postgres
import Queue

/// The sweep's corrections. None of them creates or deletes at the provider; the user's job does that afterwards.
enum SweepCorrections {
    /// Makes the user's job of this generation look before anything else, because a credential under its name exists.
    ///
    /// A job that a worker holds is left alone, and remembers that it must look: its claim may be lost, or it may be
    /// put off or set aside before it has sent anything. It is due at once then, and its next claim looks first. A
    /// generation that is past needs no look: its credential is deleted.
    ///
    /// In one transaction behind the user's lock. Unique key of jobs (tenant_id, user_id).
    static func makeLook(_ found: FoundCredential) -> [SQL] {
        [UserLock.take(found.owner.user), Self.look(found), DeadJob.lookNow(found.owner.user)]
    }

    /// The lock comes before the decision: `before` has the state that the job has under it. A job in doubt would have
    /// looked by itself, so what it finds is no finding.
    private static func look(_ found: FoundCredential) -> SQL {
        """
        with before as materialized (
            select id, state, in_doubt from dialtone.jobs
            where tenant_id = \(found.owner.user.tenant) and user_id = \(found.owner.user.user)
              and generation = \(found.owner.generation)
            for no key update),
        told as (
            update dialtone.jobs set must_look = true, is_awaited = true
            where id = any(array(select id from before where state in ('armed', 'looking')))
              and generation = (select generation from dialtone.users
                                where tenant_id = \(found.owner.user.tenant) and user_id = \(found.owner.user.user))),
        looking as (
            update dialtone.jobs set state = 'in_doubt', run_at = clock_timestamp(), waits_for = null
            from before where jobs.id = any(array(select id from before)) and jobs.id = before.id
              and before.state in ('queued', 'scheduled', 'in_doubt')
            returning \(JobLog.changedJob), before.state as from_state, before.in_doubt as was_in_doubt),
        logged as (\(JobLog.write(from: "looking"))),
        adopted as (
            select tenant_id, user_id, generation, \(found.id)::text as provider_id, \(found.tag)::text as tag
            from looking where not was_in_doubt and from_state <> 'in_doubt')
        \(Finding.write(.adopted, from: "adopted"))
        """
    }

    /// Lets the user's job adopt a credential that no job would have found, in one transaction behind the user's lock.
    static func adopt(_ found: FoundCredential) -> [SQL] {
        [UserLock.take(found.owner.user)] + Self.adopt(found.owner.user) + [found.adopted]
    }

    /// Queues a job that looks first for a user who has none.
    ///
    /// When the user has a job, it looks first at the wanted generation (`JobQueue.mustLook`).
    static func adopt(_ user: UserKey) -> [SQL] {
        [
            JobQueue.mustLook(user),
            """
            with orphan as (
                select tenant_id, user_id, generation, \(ServerClock.now) as place,
                       clock_timestamp() as enqueued_at
                from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user))
            \(JobQueue.enqueue(from: "orphan", looksFirst: true))
            """,
        ]
    }

    /// Opens a generation again that the ledger has forgotten, in one transaction behind the user's lock.
    static func catchUp(_ found: FoundCredential) -> [SQL] {
        let (user, generation) = (found.owner.user, found.owner.generation)
        return [
            UserLock.take(user),
            """
            update dialtone.users
            set generation = \(generation), status = case when status = 'failed' then 'pending' else status end
            where tenant_id = \(user.tenant) and user_id = \(user.user) and wanted = 'live'
              and generation < \(generation)
            """,
        ] + Self.adopt(user) + [Self.retarget(user), found.adopted]
    }

    /// Turns a job of an older generation to the wanted one, which it makes after a look. A delete that the job was to
    /// do stays due at its time.
    ///
    /// A job that a worker holds or that was ever in doubt is left alone. Locks the job, behind the user's lock. Indexes
    /// users_pkey, jobs_tenant_id_user_id_key and jobs_pkey.
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
            set generation = before.wanted, state = 'in_doubt', tag = null, run_at = clock_timestamp(), waits_for = null,
                quiet_until = null, attempts = 0, crashes = 0, failures = 0, must_look = false
            from before where jobs.id = any(array(select id from before)) and jobs.id = before.id
            returning \(JobLog.changedJob), before.state as from_state)
        \(JobLog.write(from: "turned"))
        """
    }

    /// Has a delete done once more that the provider confirmed and did not do, or that came before a create landed.
    /// The caller holds the user's lock.
    static func reopen(_ id: ProviderID) -> SQL {
        """
        with reopened as (
            update dialtone.credentials set status = 'closing', deleted_at = null, close_after = null
            where provider_id = \(id) and status = 'deleted'
            returning tenant_id, user_id, generation, provider_id, tag)
        \(Finding.write(.reopened, from: "reopened"))
        """
    }

    /// Closes a credential that was to be deleted and that, as an operator says, is not there. The user's job goes on.
    static func close(_ user: UserKey, _ id: ProviderID) -> [SQL] {
        [
            UserLock.take(user),
            """
            with closed as (
                update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp(), close_after = null
                where provider_id = \(id) and status = 'closing'
                returning tenant_id, user_id, generation, provider_id, tag)
            \(Finding.write(.absent, from: "closed"))
            """,
            NextGoal.openNext(user),
        ] + Self.adopt(user) + [
            """
            update dialtone.jobs set run_at = clock_timestamp()
            where tenant_id = \(user.tenant) and user_id = \(user.user) and state = 'scheduled'
            """
        ]
    }

    /// Closes the generation of a credential that is gone or has expired at the provider, gives its slot back, and
    /// opens the next one. The job looks first: a restored ledger may have forgotten that the next one was made. In one
    /// transaction behind the user's lock. A credential that is
    /// `gone` must still be missing.
    ///
    /// `coalesce` keeps the partial indexes out. Indexes credentials_provider_id_key and tenant_tags_tag_key.
    static func reprovision(_ user: UserKey, _ id: ProviderID, _ kind: FindingKind) -> [SQL] {
        [
            UserLock.take(user),
            """
            with closed as (
                update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp()
                where provider_id = \(id) and coalesce(status = 'active', false)
                  and (missing_since is not null or not \(kind == .gone))
                returning tenant_id, user_id, generation, provider_id, tag),
            given as (
                update dialtone.tenant_tags set held = greatest(0, held - 1), changed_at = clock_timestamp()
                where tenant_id = \(user.tenant) and tag = (select tag from closed))
            \(Finding.write(kind, from: "closed"))
            """,
            NextGoal.openNext(user),
        ] + Self.adopt(user) + [Self.retarget(user)]
    }
}
