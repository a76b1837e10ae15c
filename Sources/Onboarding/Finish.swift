// SPDX-License-Identifier: Apache-2.0
// The worker's results go into the ledger: the credential, the user, the job and the log in one statement per kind.

package import Foundation
package import Model
package import Postgres
package import Queue

/// A credential as it will be recorded: everything secret in it is sealed already.
package struct Evidence: Sendable {
    package var lease: Lease
    package var user: UserKey
    package var generation: Generation
    package var providerID: ProviderID
    package var name: String
    package var tag: String
    package var sealedUsername: [UInt8]
    package var sealedPassword: [UInt8]
    package var usernameIndex: [UInt8]
    package var expiresAt: Date?
    package var trace: Trace
}

extension Evidence {
    /// Records the credentials, marks their users ready and ends their jobs.
    ///
    /// Locks `users` first, in key order, then `jobs`: the order of intake, so that they cannot wait for each other.
    /// The credential is accepted from any epoch (evidence); the job is touched only where id, epoch, worker and state still
    /// match (authority). First writer owns: a row refused by either unique key comes back as not recorded, and `settle`
    /// decides what it is under a fresh snapshot. A job ends only if wanted = actual; else it goes on to its next goal.
    /// Answers, per row given, whether it was recorded.
    package static func record(_ evidence: [Evidence]) -> SQL {
        let rows = evidence.sorted { $0.user < $1.user }
        return """
            with input as (
                select * from unnest(
                    \(rows.map(\.lease.job)), \(rows.map(\.lease.epoch)), \(rows.map(\.lease.worker)),
                    \(rows.map(\.lease.state)), \(rows.map(\.user.tenant)), \(rows.map(\.user.user)),
                    \(rows.map(\.generation)), \(rows.map(\.providerID)), \(rows.map(\.name)), \(rows.map(\.tag)),
                    \(rows.map { Bytes($0.sealedUsername) }), \(rows.map { Bytes($0.sealedPassword) }),
                    \(rows.map { Bytes($0.usernameIndex) }), \(rows.map(\.expiresAt)),
                    \(rows.map { $0.trace.httpStatus.map(Int32.init) }), \(rows.map(\.trace.requestID)))
                as t (job_id, epoch, worker, from_state, tenant_id, user_id, generation, provider_id, name, tag,
                      sealed_username, sealed_password, username_index, expires_at, http_status, request_id)),
            decided as materialized (
                select i.*, u.wanted = 'live' and u.generation = i.generation as is_wanted
                from (select * from input order by tenant_id collate "C", user_id collate "C") i
                cross join lateral (
                    select u.wanted, u.generation from dialtone.users u
                    where u.tenant_id = i.tenant_id and u.user_id = i.user_id for no key update of u) u),
            recorded as (
                insert into dialtone.credentials (
                    tenant_id, user_id, generation, provider_id, name, tag, status, sealed_username, sealed_password,
                    username_index, expires_at)
                select tenant_id, user_id, generation, provider_id, name, tag,
                       case when is_wanted then 'active' else 'closing' end, sealed_username, sealed_password,
                       username_index, expires_at
                from decided
                where not exists (select 1 from dialtone.surplus s where s.provider_id = decided.provider_id)
                on conflict do nothing
                returning provider_id),
            settled as materialized (
                select d.*, d.provider_id in (select provider_id from recorded) as is_recorded from decided d),
            done as (select * from settled where is_recorded),
            ready as (
                update dialtone.users u set status = 'ready', ready_at = clock_timestamp() from done d
                where d.is_wanted and u.tenant_id = d.tenant_id and u.user_id = d.user_id),
            ended as (
                delete from dialtone.jobs j using done d
                where d.is_wanted and j.id = d.job_id and j.epoch = d.epoch and j.worker = d.worker
                  and j.state = d.from_state),
            goes_on as (
                update dialtone.jobs j
                set state = 'queued', in_doubt = false, worker = null, lease_until = null, empties = 0, tag = d.tag
                from done d
                where not d.is_wanted and j.id = d.job_id and j.epoch = d.epoch and j.worker = d.worker
                  and j.state = d.from_state),
            logged as (
                insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                              http_status, provider_request_id)
                select job_id, tenant_id, user_id, generation, from_state, 'owned', epoch, worker, http_status, request_id
                from done)
            select provider_id, is_recorded from settled
            """
    }

    /// What becomes of evidence that `record` could not write, read under a fresh snapshot: this very id is recorded
    /// already (a finish done twice), or another owns the generation and this one is surplus.
    package static func settle(_ evidence: Evidence) -> SQL {
        """
        with owner as (
            select provider_id from dialtone.credentials
            where tenant_id = \(evidence.user.tenant) and user_id = \(evidence.user.user)
              and generation = \(evidence.generation))
        insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
        select \(evidence.providerID), \(evidence.user.tenant), \(evidence.user.user), \(evidence.generation),
               \(evidence.name), \(evidence.tag)
        where exists (select 1 from owner) and not exists (select 1 from owner where provider_id = \(evidence.providerID))
          and not exists (select 1 from dialtone.credentials where provider_id = \(evidence.providerID))
        on conflict do nothing
        returning provider_id
        """
    }
}

/// A job at its end without a new credential: closed at the provider, or nothing to do.
package struct Ending: Sendable {
    package var lease: Lease
    package var user: UserKey
    package var generation: Generation
    /// Whether nothing of this generation is left at the provider.
    package var isClosed: Bool
    package var trace: Trace

    /// Ends the job if wanted = actual, else gives it its next goal: the wanted generation, from the queue.
    ///
    /// Locks `users`, then `jobs`, as `record` does. A closed generation gives its tag slot back.
    package var statement: SQL {
        """
        with locked as materialized (
            select tenant_id, user_id, wanted, generation from dialtone.users
            where tenant_id = \(self.user.tenant) and user_id = \(self.user.user) for no key update),
        held as materialized (
            select j.id, j.tag, j.state from dialtone.jobs j, locked
            where j.id = \(self.lease.job) and j.epoch = \(self.lease.epoch) and j.worker = \(self.lease.worker)
              and j.state = \(self.lease.state)
            for no key update of j),
        closed as (
            update dialtone.credentials c set status = 'deleted', deleted_at = clock_timestamp()
            from locked
            where \(self.isClosed) and c.tenant_id = \(self.user.tenant) and c.user_id = \(self.user.user)
              and c.generation = \(self.generation) and c.status <> 'deleted'
            returning c.tag),
        slot as (
            update dialtone.tenant_tags t set held = greatest(0, t.held - 1)
            where t.tenant_id = \(self.user.tenant)
              and t.tag = coalesce((select tag from closed), (select tag from held where \(self.isClosed)))),
        verdict as (
            select l.*, case
                when l.wanted = 'gone' then \(self.isClosed) and l.generation = \(self.generation)
                else not \(self.isClosed) and l.generation = \(self.generation) end as is_done
            from locked l),
        told as (
            update dialtone.users u
            set status = case when v.wanted = 'gone' then 'revoked' else 'ready' end
            from verdict v
            where v.is_done and u.tenant_id = v.tenant_id and u.user_id = v.user_id),
        ended as (
            delete from dialtone.jobs j using held, verdict v where v.is_done and j.id = held.id),
        goes_on as (
            update dialtone.jobs j
            set state = 'queued', in_doubt = false, worker = null, lease_until = null, quiet_until = null,
                generation = v.generation, attempts = 0, crashes = 0, empties = 0, tag = null
            from held, verdict v where not v.is_done and j.id = held.id)
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id)
        select held.id, \(self.user.tenant), \(self.user.user), \(self.generation), held.state,
               case when v.is_done then 'ended' else 'queued' end, \(self.lease.epoch), \(self.lease.worker),
               \(self.trace.httpStatus.map(Int32.init)), \(self.trace.requestID)
        from held, verdict v
        returning job_id
        """
    }
}

/// A job that cannot go on: out of the queue, its user failed, the provider's words kept for an operator.
package struct Burial: Sendable {
    package var lease: Lease
    package var user: UserKey
    package var reason: String
    package var words: String?
    package var name: String
    package var mayExist: Bool
    package var trace: Trace

    /// Locks `users`, then `jobs`. A user who is no longer wanted is not failed: the job goes on to close the generation.
    package var statement: SQL {
        """
        with locked as materialized (
            select tenant_id, user_id, wanted from dialtone.users
            where tenant_id = \(self.user.tenant) and user_id = \(self.user.user) for no key update),
        buried as (
            delete from dialtone.jobs j using locked
            where j.id = \(self.lease.job) and j.epoch = \(self.lease.epoch) and j.worker = \(self.lease.worker)
              and j.state = \(self.lease.state)
            returning j.*),
        kept as (
            insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, provider_words, maybe_created, epoch,
                                            attempts, name, tag)
            select id, tenant_id, user_id, generation, \(self.reason), \(self.words), in_doubt or \(self.mayExist), epoch,
                   attempts, \(self.name), tag from buried),
        told as (
            update dialtone.users u set status = 'failed' from buried b
            where u.tenant_id = b.tenant_id and u.user_id = b.user_id)
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id, error_code)
        select id, tenant_id, user_id, generation, \(self.lease.state), 'dead', epoch, \(self.lease.worker),
               \(self.trace.httpStatus.map(Int32.init)), \(self.trace.requestID), \(self.trace.errorCode ?? self.reason)
        from buried
        returning job_id
        """
    }
}

/// Credentials under our name that the ledger does not own.
package enum Surplus {
    package static func remember(_ ids: [ProviderID], of user: UserKey, generation: Generation, name: String) -> SQL {
        """
        insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name)
        select id, \(user.tenant), \(user.user), \(generation), \(name) from unnest(\(ids)) as t (id)
        where not exists (select 1 from dialtone.credentials c where c.provider_id = id)
        on conflict do nothing
        """
    }

    /// Those of these ids that are known as surplus.
    package static func among(_ ids: [ProviderID]) -> SQL {
        "select provider_id from dialtone.surplus where provider_id = any(\(ids))"
    }
}
