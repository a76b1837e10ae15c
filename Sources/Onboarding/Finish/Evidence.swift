// SPDX-License-Identifier: Apache-2.0
// A credential that exists goes into the ledger: the credential, its user, its job and the log, a batch at once.

package import Foundation
package import Model
package import Postgres
package import Queue
package import Telemetry

/// Proof that a credential exists: its provider id. While the credential is wanted, it is accepted from any worker,
/// also from one that has lost its lease. All that is secret in it is sealed already (`JobRun.seal`).
package struct Evidence: Sendable {
    package var lease: Lease
    /// The installation whose name the credential bears. After `installation confirm --clone` there are two.
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
    /// When the event that asked for it arrived; nil when it is not known.
    package var arrival: ArrivalTime?
    package var path = CredentialPath.straight
    /// Whether a create of the generation was in doubt, or a look has found the credential. Then it is counted how the
    /// credential came to be.
    package var wasDoubted = false
}

extension Evidence {
    /// Records the credentials, marks their users ready and ends their jobs: two statements of one transaction. The
    /// second returns, per row given: provider id, whether it was recorded, whether its job is done with, and whether its
    /// user is ready by it. `FinishBatch` does what is left. Of credentials that were in doubt a third statement counts
    /// how they came to be (`countTries`).
    ///
    /// The lock has a statement of its own, so that the second reads all that was committed under it. Otherwise an id
    /// that became surplus meanwhile would be recorded too.
    ///
    /// Locks users and then jobs, each in key order. That is intake's order, so the two never wait for each other
    /// crosswise.
    package static func record(_ evidence: [Evidence]) -> [SQL] {
        let rows = evidence.sorted { $0.user < $1.user }
        let doubted = rows.filter(\.wasDoubted)
        return [
            UserLock.take(rows.map(\.user)),
            """
            with input as (\(Self.input(rows))),
            decided as materialized (\(Self.decidedUnderLock)),
            recorded as (\(Self.credentialsRecorded)),
            written as materialized (\(Self.whatWasWritten)),
            done as (select * from written where is_recorded and is_wanted),
            ready as (\(Self.usersReady)),
            older as (\(Self.olderGenerationsClosing)),
            ended as (\(Self.jobsEnded)),
            logged as (\(Self.logged))
            select provider_id, is_recorded, job_id in (select id from ended), is_recorded and is_wanted from written
            """,
        ] + (doubted.isEmpty ? [] : [Self.countTries(of: doubted)])
    }

    // MARK: The parts of record, in order

    private static func input(_ rows: [Evidence]) -> SQL {
        """
        select * from unnest(
            \(rows.map(\.lease.job)), \(rows.map(\.lease.epoch)), \(rows.map(\.lease.worker)),
            \(rows.map(\.lease.state)), \(rows.map(\.installation)),
            \(rows.map(\.user.tenant)), \(rows.map(\.user.user)),
            \(rows.map(\.generation)), \(rows.map(\.providerID)), \(rows.map(\.name)), \(rows.map(\.tag)),
            \(rows.map { Bytes($0.sealedUsername) }), \(rows.map { Bytes($0.sealedPassword) }),
            \(rows.map { Bytes($0.usernameIndex) }), \(rows.map(\.expiresAt)), \(rows.map { $0.overlap ?? .zero }),
            \(rows.map { $0.trace.httpStatus.map(Int32.init) }), \(rows.map(\.trace.requestID)),
            \(rows.map(\.trace.callMilliseconds)), \(rows.map(\.trace.waitedMilliseconds)))
        as t (job_id, epoch, worker, from_state, installation, tenant_id, user_id, generation, provider_id, name, tag,
              sealed_username, sealed_password, username_index, expires_at, overlap, http_status, request_id,
              call_ms, waited_ms)
        """
    }

    /// Decides what each credential is. `is_wanted`: its generation is the one that should live. `is_held`: its worker
    /// still holds the job (authority), because no other has claimed or rescued it since. Indexes users_pkey and
    /// jobs_pkey; the users are locked already. One who was inserted meanwhile is locked here.
    private static let decidedUnderLock: SQL = """
        select input.*, wish.wanted = 'live' and wish.generation = input.generation as is_wanted,
               exists (select 1 from dialtone.jobs
                       where jobs.id = input.job_id and jobs.epoch = input.epoch and jobs.worker = input.worker
                         and jobs.state = input.from_state offset 0) as is_held
        from (select * from input order by tenant_id collate "C", user_id collate "C") input
        cross join lateral (
            select users.wanted, users.generation from dialtone.users
            where users.tenant_id = input.tenant_id and users.user_id = input.user_id for no key update) wish
        """

    /// Records what is wanted from any worker. A credential that is no longer wanted is recorded as `closing` by the
    /// job's own worker alone, which then deletes it. The first writer owns: a row that either unique key refuses is
    /// not recorded.
    private static let credentialsRecorded: SQL = """
        insert into dialtone.credentials (
            tenant_id, user_id, generation, provider_id, name, tag, status, sealed_username, sealed_password,
            username_index, expires_at)
        select tenant_id, user_id, generation, provider_id, name, tag,
               case when is_wanted then 'active' else 'closing' end, sealed_username, sealed_password,
               username_index, expires_at
        from decided
        where (is_wanted or is_held) and installation = (select id from dialtone.installation)
          -- `offset 0` keeps these, and the one below, from becoming joins that read a whole table.
          and not exists (select 1 from dialtone.surplus
                          where surplus.provider_id = decided.provider_id and \(Stray.isRefused) offset 0)
        on conflict do nothing
        returning provider_id
        """

    /// `has_others`: the user has other open credentials, so the job has more to do. A statement does not see its own
    /// insert, so the row just recorded is no other. Index credentials_pkey.
    private static let whatWasWritten: SQL = """
        select decided.*, decided.provider_id in (select provider_id from recorded) as is_recorded,
               exists (select 1 from dialtone.credentials
                       where credentials.tenant_id = decided.tenant_id and credentials.user_id = decided.user_id
                         and \(OpenCredential.condition) offset 0) as has_others
        from decided
        """

    /// Index users_pkey. The rows exist and are locked, so the upsert only updates. An `update … from` may be planned
    /// as a walk.
    private static let usersReady: SQL = """
        insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
        select distinct tenant_id, user_id, 'live', 'ready', now() from done
        on conflict (tenant_id, user_id) do update set status = 'ready', ready_at = clock_timestamp()
        """

    /// A job ends here when nothing else of its user is left to do, and its worker still holds it. The jobs are locked
    /// first, in their users' order. Index jobs_pkey.
    private static let jobsEnded: SQL = """
        delete from dialtone.jobs where id = any(array(
            select held.id from done cross join lateral (
                select jobs.id from dialtone.jobs
                where jobs.id = done.job_id and jobs.epoch = done.epoch and jobs.worker = done.worker
                  and jobs.state = done.from_state
                for no key update) held
            where not done.has_others))
        returning id
        """

    private static let logged: SQL = """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id, call_ms, waited_ms)
        select job_id, tenant_id, user_id, generation, from_state, 'owned', epoch, worker, http_status, request_id,
               call_ms, waited_ms
        from written where is_recorded
        """
}
