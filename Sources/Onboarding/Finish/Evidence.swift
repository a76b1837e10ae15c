// SPDX-License-Identifier: Apache-2.0
// The worker's results go into the ledger: the credential, the user, the job and the log, one statement for a whole
// batch.

package import Foundation
package import Model
package import Postgres
package import Queue

/// A credential as it will be recorded: everything secret in it is sealed already.
package struct Evidence: Sendable {
    package var lease: Lease
    /// Under whose name it was made: after `installation confirm --clone` what the other one made is not ours to own.
    package var installation: UUID
    package var user: UserKey
    package var generation: Generation
    package var providerID: ProviderID
    package var name: String
    package var tag: String
    package var sealedUsername: [UInt8]
    package var sealedPassword: [UInt8]
    package var usernameIndex: [UInt8]
    package var expiresAt: Date?
    /// How long an older generation may serve on.
    package var overlap: Duration?
    package var trace: Trace
}

extension Evidence {
    /// Records the credentials, marks their users ready and ends their jobs.
    ///
    /// Locks `users` first, in key order, then `jobs`: the order of intake, so that they cannot wait for each other.
    /// What is wanted is accepted from any epoch (evidence); the job is touched only where id, epoch, worker and state
    /// still match (authority). What is no longer wanted is recorded as `closing` by the job's own worker alone, which
    /// then deletes it; anybody else's is for `toSurplus`. First writer owns: a row refused by either unique key comes
    /// back as not recorded. A rotation's older generations begin to close here. The job ends only if nothing else of
    /// its user is left to do.
    ///
    /// Two statements of one transaction: the lock stands before, so that the other reads all that was committed under it.
    /// A statement that waits for a lock reads anew only the row it waited for: an id that became surplus meanwhile would
    /// be recorded too.
    ///
    /// The second answers, per row given, whether it was recorded and whether its job is done with.
    package static func record(_ evidence: [Evidence]) -> [SQL] {
        let rows = evidence.sorted { $0.user < $1.user }
        return [UserLock.take(rows.map(\.user)), Self.recordLocked(rows)]
    }

    private static func recordLocked(_ rows: [Evidence]) -> SQL {
        """
        with input as (
            select * from unnest(
                \(rows.map(\.lease.job)), \(rows.map(\.lease.epoch)), \(rows.map(\.lease.worker)),
                \(rows.map(\.lease.state)), \(rows.map(\.installation)), \(rows.map(\.user.tenant)),
                \(rows.map(\.user.user)),
                \(rows.map(\.generation)), \(rows.map(\.providerID)), \(rows.map(\.name)), \(rows.map(\.tag)),
                \(rows.map { Bytes($0.sealedUsername) }), \(rows.map { Bytes($0.sealedPassword) }),
                \(rows.map { Bytes($0.usernameIndex) }), \(rows.map(\.expiresAt)),
                \(rows.map { $0.overlap ?? .zero }),
                \(rows.map { $0.trace.httpStatus.map(Int32.init) }), \(rows.map(\.trace.requestID)))
            as t (job_id, epoch, worker, from_state, installation, tenant_id, user_id, generation, provider_id, name, tag,
                  sealed_username, sealed_password, username_index, expires_at, overlap, http_status, request_id)),
        decided as materialized (
            select i.*, u.wanted = 'live' and u.generation = i.generation as is_wanted,
                   exists (select 1 from dialtone.jobs j where j.id = i.job_id and j.epoch = i.epoch
                           and j.worker = i.worker and j.state = i.from_state) as is_held
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
            where (is_wanted or is_held) and installation = (select id from dialtone.installation)
              and not exists (select 1 from dialtone.surplus s where s.provider_id = decided.provider_id)
              and not exists (select 1 from dialtone.strays s
                              where s.provider_id = decided.provider_id and s.doomed_at is not null)
            on conflict do nothing
            returning provider_id),
        settled as materialized (
            select d.*, d.provider_id in (select provider_id from recorded) as is_recorded,
                   exists (select 1 from dialtone.credentials c
                           where c.tenant_id = d.tenant_id and c.user_id = d.user_id and c.status <> 'deleted')
                       as has_others
            from decided d),
        done as (select * from settled where is_recorded and is_wanted),
        ready as (
            update dialtone.users u set status = 'ready', ready_at = clock_timestamp() from done d
            where u.tenant_id = d.tenant_id and u.user_id = d.user_id),
        older as (
            update dialtone.credentials c
            set status = 'closing', close_after = clock_timestamp() + d.overlap
            from done d
            where d.has_others and c.tenant_id = d.tenant_id and c.user_id = d.user_id
              and c.generation < d.generation and c.status = 'active'),
        ended as (
            delete from dialtone.jobs j using done d
            where not d.has_others and j.id = d.job_id and j.epoch = d.epoch and j.worker = d.worker
              and j.state = d.from_state
            returning j.id),
        logged as (
            insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                          http_status, provider_request_id)
            select job_id, tenant_id, user_id, generation, from_state, 'owned', epoch, worker, http_status, request_id
            from settled where is_recorded)
        select provider_id, is_recorded, job_id in (select id from ended) from settled
        """
    }

    /// What becomes of evidence that `record` could not write, under the user's lock and a fresh snapshot: this very id
    /// is recorded already (a finish done twice), or it is surplus, because another owns its generation or it is
    /// closed. A generation the ledger does not have yet (it lost the commit that opened it) is not surplus: the sweep
    /// finds it.
    package var toSurplus: SQL {
        """
        insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
        select \(self.providerID), u.tenant_id, u.user_id, \(self.generation), \(self.name), \(self.tag)
        from dialtone.users u
        where u.tenant_id = \(self.user.tenant) and u.user_id = \(self.user.user)
          and not exists (select 1 from dialtone.credentials where provider_id = \(self.providerID))
          and exists (select 1 from dialtone.installation i where i.id = \(self.installation))
          and (u.wanted = 'gone' and u.generation = \(self.generation) or u.generation > \(self.generation)
               or exists (select 1 from dialtone.credentials c
                          where c.tenant_id = u.tenant_id and c.user_id = u.user_id
                            and c.generation = \(self.generation)))
        on conflict do nothing
        returning provider_id
        """
    }
}

/// A job whose generation is done with, without a new credential: closed at the provider, or nothing to do.
package struct Ending: Sendable {
    package var lease: Lease
    package var user: UserKey
    package var generation: Generation
    package var how: How
    package var trace: Trace

    package enum How: Sendable, Equatable {
        /// The wanted credential is there.
        case fulfilled
        /// Another generation first, after that long. `isMade`: the slot of its tag is the credential's, not the job's
        /// to give.
        case passedOver(after: Duration, isMade: Bool)
        /// The provider answered 200 or 404 to the delete of this id.
        case deleted(ProviderID)
        /// There is proven to be nothing of this generation.
        case absent
    }

    /// The facts, then the job's next goal; in one transaction behind `UserLock`.
    var statements: [SQL] {
        switch self.how {
        case .fulfilled: [UserLock.take(self.user), self.goal]
        case .passedOver(let delay, let isMade):
            [UserLock.take(self.user)] + (isMade ? [] : [self.giveBackSlot])
                + [NextGoal.choose(self.lease, self.user, self.trace, passesOver: delay)]
        case .deleted(let id): [UserLock.take(self.user), self.close(id), NextGoal.openNext(self.user), self.goal]
        case .absent: [UserLock.take(self.user), self.giveBackSlot, self.goal]
        }
    }

    private var goal: SQL { NextGoal.choose(self.lease, self.user, self.trace) }

    /// Evidence, accepted from any epoch: this id is no more. Its tag has a slot again.
    private func close(_ id: ProviderID) -> SQL {
        """
        with closed as (
            update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp(), close_after = null
            where provider_id = \(id) and status <> 'deleted'
            returning tag)
        update dialtone.tenant_tags t set held = greatest(0, t.held - 1) from closed
        where t.tenant_id = \(self.user.tenant) and t.tag = closed.tag
        """
    }

    /// The slot that was taken for a create that never was; only the job's holder knows that.
    private var giveBackSlot: SQL {
        """
        update dialtone.tenant_tags t set held = greatest(0, t.held - 1)
        from dialtone.jobs j
        where j.id = \(self.lease.job) and j.epoch = \(self.lease.epoch) and j.worker = \(self.lease.worker)
          and j.state = \(self.lease.state) and t.tenant_id = \(self.user.tenant) and t.tag = j.tag
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

    /// Behind `UserLock`. A generation that is no longer wanted, or whose credential has been recorded meanwhile, is
    /// not failed: its job looks, or closes it, and goes on. A slot taken for a create that provably was not is given
    /// back.
    var statements: [SQL] { [UserLock.take(self.user), self.bury] }

    private var bury: SQL {
        """
        with held as materialized (
            select j.*, u.wanted = 'live' and u.generation = j.generation
                        and not exists (select 1 from dialtone.credentials c
                                        where c.tenant_id = j.tenant_id and c.user_id = j.user_id
                                          and c.generation = j.generation and c.status <> 'deleted') as is_wanted,
                   j.in_doubt or \(self.mayExist) as is_doubtful
            from dialtone.jobs j join dialtone.users u on u.tenant_id = j.tenant_id and u.user_id = j.user_id
            where j.id = \(self.lease.job) and j.epoch = \(self.lease.epoch) and j.worker = \(self.lease.worker)
              and j.state = \(self.lease.state)
            for no key update of j),
        buried as (
            delete from dialtone.jobs j using held where held.is_wanted and j.id = held.id
            returning j.*),
        goes_on as (
            update dialtone.jobs j
            set state = case when held.is_doubtful then 'in_doubt' else 'queued' end,
                in_doubt = held.is_doubtful, worker = null, lease_until = null, run_at = clock_timestamp(),
                attempts = 0, crashes = 0, place = greatest(j.place, \(ServerClock.now))
            from held where not held.is_wanted and j.id = held.id),
        kept as (
            insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, provider_words, maybe_created, epoch,
                                            attempts, name, tag, quiet_until)
            select id, tenant_id, user_id, generation, \(self.reason), \(self.words), in_doubt or \(self.mayExist), epoch,
                   attempts, \(self.name), tag, quiet_until from buried
            on conflict (id) do nothing),
        slot as (
            update dialtone.tenant_tags t set held = greatest(0, t.held - 1) from buried b
            where not b.in_doubt and not \(self.mayExist) and t.tenant_id = b.tenant_id and t.tag = b.tag),
        told as (
            update dialtone.users u set status = 'failed' from buried b
            where u.tenant_id = b.tenant_id and u.user_id = b.user_id)
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id, error_code)
        select id, tenant_id, user_id, generation, \(self.lease.state),
               case when is_wanted then 'dead' when is_doubtful then 'in_doubt' else 'queued' end,
               epoch, \(self.lease.worker), \(self.trace.httpStatus.map(Int32.init)), \(self.trace.requestID),
               \(self.trace.errorCode ?? self.reason)
        from held
        returning job_id
        """
    }
}

/// The lock that decides who speaks for a user: taken in a statement of its own, so that what follows in the
/// transaction sees everything that was committed under it before.
enum UserLock {
    static func take(_ user: UserKey) -> SQL {
        """
        select user_id from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user) for no key update
        """
    }

    /// Of several, in key order. Index users_pkey, entered by key: a lateral with a lock is never turned into a join.
    static func take(_ users: [UserKey]) -> SQL {
        let users = users.sorted()
        return """
            select u.user_id
            from (select * from unnest(\(users.map(\.tenant)), \(users.map(\.user))) as t (tenant_id, user_id)
                  order by tenant_id collate "C", user_id collate "C") k
            cross join lateral (
                select u.user_id from dialtone.users u
                where u.tenant_id = k.tenant_id and u.user_id = k.user_id for no key update) u
            """
    }
}
