// SPDX-License-Identifier: Apache-2.0
// A credential was found and cannot be taken: its password is not to be had, or nothing can be sealed now.

import Lifecycle
import Logging
import Model
import Postgres
import Queue
import Telemetry
import Telnyx

extension JobRun {
    /// Why a credential that is there cannot be taken.
    enum Untakeable: String {
        /// The provider has answered 200 to its id, and shows no password.
        case hasNoPassword = "found_without_password"
        /// The call for it has failed, or the tenant's key is away.
        case notNow = "found_not_taken"
    }

    /// Returns what becomes of the job. What nobody wants is deleted. What is wanted and shows no password three times
    /// is given up for another one. Anything else is tried again later.
    func cannotTake(_ id: ProviderID, _ why: Untakeable, _ state: inout RunState) async -> JobResult {
        if let result = await self.deleteUnwanted(id, &state) { return result }
        if why == .hasNoPassword, await self.giveUp(id, state) { return self.ended(state, Self.anotherGeneration) }
        return self.lost(why, &state)
    }

    /// Its slot stays taken until it is deleted as surplus.
    private static let anotherGeneration = Ending.How.passedOver(after: .zero, isMade: true)

    /// The credential is there and could not be taken: the job is in doubt until a look finds it. The try is not
    /// charged.
    private func lost(_ why: Untakeable, _ state: inout RunState) -> JobResult {
        state.job.life.isDoubtful = true
        state.hasFailed = true
        state.trace.errorCode = why.rawValue
        self.metrics.doubts.add(.sealFailed)
        self.throttledLog.log(
            "a credential is there and its password is not to be had, or cannot be sealed", level: .error,
            ["tenant": "\(state.job.user.tenant)"])
        return self.doubt(state, state.job.life.backOff, landingTime: self.rules.landingTime)
    }

    // MARK: Nobody wants it

    /// Deletes the credential of a generation that nobody wants, and returns the job to a look, which finds it gone.
    /// Returns nil when it may not be deleted.
    ///
    /// It need not be recorded first: it bears exactly the job's name, and the ledger has neither it nor a use for it.
    ///
    /// Cancelled here: the next look finds it again, or does not.
    private func deleteUnwanted(_ id: ProviderID, _ state: inout RunState) async -> JobResult? {
        let life = state.job.life
        guard !life.isWanted, !life.trust.isStopped, let found = state.found, found.id == id,
            found.name == self.name(state),
            let rows = try? await self.pool.query(Self.isUnwanted(id, of: state.job)), !rows.isEmpty
        else { return nil }
        guard case .deleted = await self.delete(id, &state) else { return self.doubt(state, life.backOff) }
        if let tag = state.sharedTag { await self.tagLists.forget(tag) }
        state.trace.errorCode = "deleted_unrecorded"
        // A list may show it for a moment longer.
        return self.doubt(state, .seconds(1))
    }

    /// Finds a row when the job's generation is closed, and the credential is not the ledger's. A closed generation is
    /// never opened again. Indexes users_pkey and credentials_provider_id_key.
    private static func isUnwanted(_ id: ProviderID, of job: ClaimedJob) -> SQL {
        """
        select 1 from dialtone.users
        where users.tenant_id = \(job.user.tenant) and users.user_id = \(job.user.user)
          and (users.generation > \(job.life.generation)
               or users.wanted = 'gone' and users.generation = \(job.life.generation))
          and not exists (select 1 from dialtone.credentials where credentials.provider_id = \(id) offset 0)
          and (select not incarnation.is_stopped and \(KnownServer.answers) from dialtone.incarnation)
        """
    }

    // MARK: It is wanted, and of no use

    /// Makes the credential surplus and opens the next generation, when this is the third time that the provider shows
    /// no password. Returns whether that is written.
    ///
    /// Cancelled or failed here: the next look finds it again.
    private func giveUp(_ id: ProviderID, _ state: RunState) async -> Bool {
        guard state.job.life.isWanted,
            let row = try? await self.pool.query(Self.timesBefore(state.job)).first,
            let times = try? row.decode(Int64.self), times >= 2
        else { return false }
        let statements = [
            UserLock.take(state.job.user), Self.openNextGeneration(state.job),
            Self.surplus(id, of: state.job, name: self.name(state)),
        ]
        guard let answers = try? await self.pool.withConnection({ try await $0.pipeline([statements]) })[0],
            answers.count == 3, let surplus = try? answers[2].get(), surplus.affected == 1
        else { return false }
        self.throttledLog.log(
            "a credential shows no password, so its user gets another one", level: .error,
            ["tenant": "\(state.job.user.tenant)"])
        return true
    }

    /// Counts how often the job has met this of late. Index job_log_user.
    private static func timesBefore(_ job: ClaimedJob) -> SQL {
        """
        select count(*) from dialtone.job_log
        where tenant_id = \(job.user.tenant) and user_id = \(job.user.user) and at > now() - interval '1 day'
          and job_id = \(job.lease.job) and generation = \(job.life.generation)
          and error_code = \(Untakeable.hasNoPassword.rawValue)
        """
    }

    /// Closes the generation by opening the next, if it is still wanted, has no credential and this worker holds its
    /// job. Behind the user's lock. Indexes users_pkey, credentials_pkey, jobs_pkey.
    private static func openNextGeneration(_ job: ClaimedJob) -> SQL {
        """
        update dialtone.users set generation = users.generation + 1
        where users.tenant_id = \(job.user.tenant) and users.user_id = \(job.user.user) and users.wanted = 'live'
          and users.generation = \(job.life.generation)
          and not exists (select 1 from dialtone.credentials
                          where credentials.tenant_id = users.tenant_id and credentials.user_id = users.user_id
                            and credentials.generation = users.generation offset 0)
          and exists (select 1 from dialtone.jobs where \(job.lease.holdsJob) offset 0)
        """
    }

    /// Remembers the credential for its deletion, where its generation is closed.
    private static func surplus(_ id: ProviderID, of job: ClaimedJob, name: String) -> SQL {
        """
        insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
        select \(id), users.tenant_id, users.user_id, \(job.life.generation), \(name), \(job.tag)
        from dialtone.users
        where users.tenant_id = \(job.user.tenant) and users.user_id = \(job.user.user)
          and users.generation > \(job.life.generation)
          and not exists (select 1 from dialtone.credentials where credentials.provider_id = \(id) offset 0)
        -- A stray has found its user.
        on conflict (provider_id) do update
        set tenant_id = excluded.tenant_id, user_id = excluded.user_id, generation = excluded.generation,
            due_at = clock_timestamp(), attempts = 0
        where surplus.user_id is null and surplus.deleted_at is null
        """
    }
}
