// SPDX-License-Identifier: Apache-2.0
// A job that cannot go on is given up. Its user has failed, and the provider's words stay in its row for an operator.

package import Model
import Postgres
package import Queue

package struct Burial: Sendable {
    package var lease: Lease
    package var user: UserKey
    package var reason: String
    package var words: String?
    /// The provider's code to a rejection: many words may have one.
    package var providerCode: String?
    /// Whether a create may have landed.
    package var mayExist: Bool
    package var trace: Trace

    /// One transaction behind `UserLock`. The last statement returns the job, and whether its user has failed.
    var statements: [SQL] { [UserLock.take(self.user), self.bury] }

    /// Buries the job where its generation is still wanted and has no credential: it stays as a dead job. Otherwise the
    /// user has not failed: the job goes on, and looks, or closes what was recorded meanwhile.
    private var bury: SQL {
        """
        with held as materialized (\(self.jobHeld)),
        buried as (\(self.jobDies)),
        goes_on as (\(self.jobGoesOn)),
        slot as (\(self.slotGivenBack)),
        told as (
            update dialtone.users set status = 'failed' from buried
            where users.tenant_id = \(self.user.tenant) and users.user_id = \(self.user.user)
              and users.tenant_id = buried.tenant_id and users.user_id = buried.user_id)
        \(self.logged)
        returning job_id, to_state = 'dead'
        """
    }

    /// Locks the job, if this worker still holds it. Indexes jobs_pkey, users_pkey, credentials_pkey.
    private var jobHeld: SQL {
        """
        select jobs.*,
               users.wanted = 'live' and users.generation = jobs.generation
               and not exists (
                   select 1 from dialtone.credentials
                   where credentials.tenant_id = jobs.tenant_id and credentials.user_id = jobs.user_id
                     and credentials.generation = jobs.generation and \(OpenCredential.condition)
                   offset 0) as is_wanted,
               jobs.in_doubt or \(self.mayExist) as is_doubtful
        from dialtone.jobs join dialtone.users on users.tenant_id = jobs.tenant_id and users.user_id = jobs.user_id
        where \(self.lease.holdsJob) and users.tenant_id = \(self.user.tenant) and users.user_id = \(self.user.user)
        for no key update of jobs
        """
    }

    /// It is tried again when its pause is over (`DeadJob`), or at once when somebody asked for it meanwhile. Its doubt, its quiet time and the slot of a create that
    /// may have landed stay.
    private var jobDies: SQL {
        """
        update dialtone.jobs
        set state = 'dead', worker = null, lease_until = null, in_doubt = held.is_doubtful, is_awaited = false,
            must_look = false, tag = case when held.is_doubtful then jobs.tag end,
            run_at = clock_timestamp()
                     + case when jobs.is_awaited then interval '0'
                            else \(DeadJob.pause(after: "\(self.reason)", deaths: "coalesce(jobs.deaths, 0)")) end,
            deaths = coalesce(jobs.deaths, 0) + 1, reason = \(self.reason), words = \(self.words),
            provider_code = \(self.providerCode)
        from held where held.is_wanted and jobs.id = held.id and \(self.lease.holdsJob)
        returning jobs.tenant_id, jobs.user_id
        """
    }

    private var jobGoesOn: SQL {
        """
        update dialtone.jobs
        set state = case when held.is_doubtful then 'in_doubt' else 'queued' end, in_doubt = held.is_doubtful,
            worker = null, lease_until = null, run_at = clock_timestamp(), attempts = 0, crashes = 0,
            place = greatest(jobs.place, \(ServerClock.now))
        from held where not held.is_wanted and jobs.id = held.id and \(self.lease.holdsJob)
        """
    }

    /// Gives back a slot that was taken for a create that provably was not.
    private var slotGivenBack: SQL {
        """
        update dialtone.tenant_tags set held = greatest(0, held - 1)
        where tenant_id = \(self.user.tenant)
          and tag = (select held.tag from held where held.is_wanted and not held.is_doubtful)
        """
    }

    private var logged: SQL {
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id, error_code, call_ms, waited_ms)
        select id, tenant_id, user_id, generation, \(self.lease.state),
               case when is_wanted then 'dead' when is_doubtful then 'in_doubt' else 'queued' end,
               epoch, \(self.lease.worker), \(self.trace.httpStatus.map(Int32.init)), \(self.trace.requestID),
               \(self.trace.errorCode ?? self.reason), \(self.trace.callMilliseconds),
               \(self.trace.waitedMilliseconds)
        from held
        """
    }
}
