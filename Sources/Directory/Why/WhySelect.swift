// SPDX-License-Identifier: Apache-2.0
// The facts behind the reasons: of one user or of a page of them, each by a few keys.

import Foundation
import Model
import Postgres

enum WhySelect {
    /// Reads the facts about users in one statement. Each user costs six index look-ups at most: users_pkey,
    /// jobs_tenant_id_user_id_key, credentials_pkey twice, and job_log_user, or events_user and sources_pkey, where they
    /// may say something.
    ///
    /// `offset 0` keeps each lateral on its key. The log is read back to the job's beginning only, so that older days
    /// are left out.
    static func facts(_ users: [UserID], of tenant: TenantID, withRank: Bool) -> SQL {
        """
        select owner.user_id, owner.wanted, owner.status, owner.generation, owner.received_at, owner.ready_at,
               owner.held_at,
               job.state, job.generation, nullif(job.run_at, 'infinity'), job.lease_until, job.quiet_until,
               job.enqueued_at, job.attempts, job.waits_for, job.in_doubt, job.reason, job.words,
               case when \(withRank) and job.state = 'queued' then dialtone.rank_in_line(job.place, job.id) end,
               serving.generation, serving.created_at, serving.missing_since, older.until, older.deleted_at,
               call.at, call.http_status, call.error_code, unclear.received_at, sender.slug, clock_timestamp()
        from unnest(\(users)) as asked (user_id)
        cross join lateral (
            select * from dialtone.users
            where users.tenant_id = \(tenant) and users.user_id = asked.user_id offset 0) owner
        left join lateral (
            select * from dialtone.jobs
            where jobs.tenant_id = \(tenant) and jobs.user_id = asked.user_id offset 0) job on true
        left join lateral (
            select one.generation, one.created_at, one.missing_since from (\(Self.credentials(of: tenant))) one
            where one.status = 'active' order by one.generation desc limit 1) serving on true
        left join lateral (
            select max(one.close_after) filter (where one.status = 'closing') as until,
                   max(one.deleted_at) as deleted_at
            from (\(Self.credentials(of: tenant))) one) older on true
        left join lateral (
            select log.at, log.http_status, log.error_code from dialtone.job_log log
            where log.tenant_id = \(tenant) and log.user_id = asked.user_id and log.at >= job.enqueued_at
              and \(Self.isCall)
              and job.state in ('scheduled', 'in_doubt', 'looking', 'dead')
            order by log.at desc limit 1) call on true
        left join lateral (
            select event.received_at from (
                select events.received_at, events.outcome, events.occurred_at, events.wanted from dialtone.events
                where events.tenant_id = \(tenant) and events.user_id = asked.user_id and \(ListIndex.eventsOfUser)
                  and owner.wanted = 'gone'
                order by events.received_at desc limit 1) event
            where \(Self.isUnclear)) unclear on true
        left join lateral (\(Self.remover(in: tenant))) sender on true
        """
    }

    /// Whether a line of the log is of a call for what is wanted: the job of a user who failed may delete an older
    /// credential meanwhile. The codes that are left out are our own, and no call was made.
    private static let isCall: SQL = """
        log.generation = case when owner.status = 'failed' then owner.generation else job.generation end
            and (log.http_status is not null or log.error_code like 'unknown:%' or log.error_code = 'not_sent')
        """

    /// Whether a sign-up had no time, and came after the revoke. A later revoke of an operator is clear.
    private static let isUnclear: SQL = """
        event.outcome = 'superseded' and event.occurred_at is null and event.wanted = 'live'
            and event.received_at >= coalesce(owner.held_at, owner.received_at)
        """

    /// The source by whose word the user is gone. One of several tenants is not named.
    private static func remover(in tenant: TenantID) -> SQL {
        """
        select sources.slug from dialtone.sources
        where sources.source_id = owner.told_by and sources.tenant_id = \(tenant) and owner.wanted = 'gone' offset 0
        """
    }

    private static func credentials(of tenant: TenantID) -> SQL {
        """
        select * from dialtone.credentials
        where credentials.tenant_id = \(tenant) and credentials.user_id = asked.user_id offset 0
        """
    }

    /// Reads what concerns all users of the tenant. No row: there is no such tenant.
    static func tenant(_ tenant: TenantID) -> SQL {
        """
        select is_stopped, changed_at, is_seen, paused_until, breaker, breaker_since, breaker_until,
               breaker_reason, rate
        from dialtone.what_holds(\(tenant))
        """
    }

    /// Reads whether a worker runs. It reads all locks of the server, so a node asks once a second at most
    /// (`WorkerSight`).
    static let workers: SQL = "select dialtone.has_worker()"

    /// Reads what was said last of a user who is not known. Index events_user.
    static func told(_ user: UserKey) -> SQL {
        """
        select events.received_at, events.outcome, events.detail from dialtone.events
        where events.tenant_id = \(user.tenant) and events.user_id = \(user.user) and \(ListIndex.eventsOfUser)
        order by events.received_at desc limit 1
        """
    }

    /// Reads the newest of what these sources have sent and could not be used. It names no user, because nobody
    /// could read whose it is. Indexes sources_slug and quarantine_open.
    static func kept(of senders: Senders) -> SQL {
        """
        select sender.slug, waits.reason, waits.arrived_at
        from (\(senders.select)) sender
        cross join lateral (
            select quarantine.reason, quarantine.arrived_at from dialtone.quarantine
            where quarantine.source_id = sender.source_id and quarantine.settled_at is null
            order by quarantine.arrived_at desc limit 1) waits
        order by waits.arrived_at desc limit 1
        """
    }

    static func readTenant(_ row: PostgresRow) throws -> TenantFacts {
        var columns = row.columns
        var facts = TenantFacts()
        facts.isStopped = try columns.next()
        facts.changedAt = try columns.next()
        facts.isSeen = try columns.next()
        facts.pausedUntil = try columns.next()
        let scope: String? = try columns.next()
        let breaker = TenantFacts.Breaker(
            scope: scope.flatMap { TenantFacts.Breaker.Scope(rawValue: $0) } ?? .account, since: try columns.next(),
            until: try columns.next(), reason: try columns.next())
        facts.breaker = scope == nil ? nil : breaker
        facts.rate = try columns.next()
        return facts
    }

    static func readUser(_ row: PostgresRow) throws -> (user: String, facts: UserFacts, now: Date) {
        var columns = row.columns
        let user: String = try columns.next()
        var facts = UserFacts(
            wanted: try columns.next(), status: try columns.next(), generation: try columns.next(),
            receivedAt: try columns.next(), readyAt: try columns.next(), heldAt: try columns.next())
        facts.job = try Self.readJob(&columns)
        let generation: Generation? = try columns.next()
        let createdAt: Date? = try columns.next()
        let missingSince: Date? = try columns.next()
        if let generation, let createdAt {
            facts.serving = UserFacts.Serving(generation: generation, createdAt: createdAt, missingSince: missingSince)
        }
        facts.olderServesUntil = try columns.next()
        facts.lastDeletedAt = try columns.next()
        let calledAt: Date? = try columns.next()
        let (status, code): (Int32?, String?) = (try columns.next(), try columns.next())
        if let calledAt { facts.lastCall = UserFacts.Call(at: calledAt, httpStatus: status, code: code) }
        facts.unclearSince = try columns.next()
        facts.removedBy = try columns.next()
        return (user, facts, try columns.next())
    }

    private static func readJob(_ columns: inout PostgresColumns) throws -> UserFacts.Job? {
        let state: JobState? = try columns.next()
        let generation: Generation? = try columns.next()
        let runAt: Date? = try columns.next()
        let leaseUntil: Date? = try columns.next()
        let quietUntil: Date? = try columns.next()
        let enqueuedAt: Date? = try columns.next()
        let attempts: Int32? = try columns.next()
        let waitsFor: String? = try columns.next()
        let isDoubtful: Bool? = try columns.next()
        let (reason, words): (String?, String?) = (try columns.next(), try columns.next())
        let ahead: Int64? = try columns.next()
        guard let state, let generation, let enqueuedAt else { return nil }
        return UserFacts.Job(
            state: state, generation: generation, runAt: runAt, leaseUntil: leaseUntil, quietUntil: quietUntil,
            enqueuedAt: enqueuedAt, attempts: attempts ?? 0, waitsFor: waitsFor, isDoubtful: isDoubtful ?? false,
            reason: reason, words: words, ahead: ahead)
    }
}
