// SPDX-License-Identifier: Apache-2.0
// Which server the ledger lives on, and what the ledger is worth after it has changed: restarted, failed over,
// restored.

import Foundation
import Model
import Postgres
import Queue

/// What the worker learned about the server it talks to.
struct Incarnation: Sendable, Equatable {
    /// When the server's postmaster started, in microseconds.
    var started: Int64
    /// What became of the change that was found, if one was.
    var change: String?
    /// Jobs may be claimed only when the row that says so is committed.
    var isKnown: Bool
    /// Whose names are made here; another than at the start of this process after `installation confirm --clone`.
    var installation: UUID
    /// The server's clock, in microseconds.
    var now: Int64

    static func read(_ row: PostgresRow) throws -> Incarnation {
        let (started, isKnown, change, installation, now) = try row.decode(
            Int64.self, Bool.self, String?.self, UUID.self, Int64.self)
        return Incarnation(started: started, change: change, isKnown: isKnown, installation: installation, now: now)
    }

    /// Is the server still the one of the row? Without a lock, without a write.
    static let current: SQL = """
        select \(ServerClock.start), coalesce(i.started = \(ServerClock.start), false), null::text, n.id,
               \(ServerClock.statementStart)
        from dialtone.installation n left join dialtone.incarnation i on true
        """

    /// Takes the server that answers for the one the ledger lives on, and says what had happened to the one before.
    ///
    /// The same system and timeline: a restart, which loses nothing that was acknowledged; a snapshot of the disk looks
    /// the same, so every create looks first until a full sweep has ended. Another timeline: a standby was promoted or
    /// a backup brought forward, and the last commits may be missing; absence needs a second look after a time counted
    /// from now. Another system: restored from a dump, or a clone that runs beside its original; nothing is deleted
    /// until an operator has said which. The row is locked, so of two nodes the second finds the first's answer and
    /// changes nothing.
    ///
    /// Leases are given anew by this server's clock, which may differ from the old one's; so is every quiet moment
    /// after a change that may have lost commits.
    static func adopt(lease: Duration, landingTime: Duration) -> SQL {
        """
        with server as (
            select \(ServerClock.start) as started, (select system_identifier from pg_control_system()) as system,
                   case when pg_is_in_recovery() then 0
                   else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint end as timeline),
        known as materialized (select * from dialtone.incarnation for update),
        verdict as (
            select s.*, case when k.started is null then 'first'
                             when k.system_identifier <> s.system then 'restore'
                             when k.timeline <> s.timeline then 'failover'
                             else 'restart' end as change, k.is_stopped, k.looks_twice
            from server s left join known k on true
            where s.timeline > 0 and k.started is distinct from s.started),
        written as (
            insert into dialtone.incarnation as i (system_identifier, timeline, started, change, looks_first, looks_twice,
                                                   quiet_until, is_stopped)
            select system, timeline, started, change, change <> 'first',
                   change in ('failover', 'restore') or coalesce(looks_twice, false),
                   clock_timestamp() + \(lease + landingTime),
                   change = 'restore' or coalesce(is_stopped, false)
            from verdict
            on conflict (only_row) do update
            set system_identifier = excluded.system_identifier, timeline = excluded.timeline, started = excluded.started,
                change = excluded.change, changed_at = clock_timestamp(), looks_first = true,
                looks_twice = excluded.looks_twice, is_stopped = excluded.is_stopped,
                quiet_until = case when excluded.change = 'restart' and not i.looks_twice then i.quiet_until
                                   else excluded.quiet_until end
            where i.started <> excluded.started
            returning started, change),
        held as materialized (
            select j.id from dialtone.jobs j, written where j.state in ('armed', 'looking', 'in_doubt')
            order by j.tenant_id, j.user_id for no key update of j),
        leases as (
            update dialtone.jobs j set lease_until = clock_timestamp() + \(lease)
            from written, held where j.id = held.id and j.state in ('armed', 'looking')),
        doubts as (
            update dialtone.jobs j
            set quiet_until = clock_timestamp() + \(lease + landingTime), empties = 0
            from written, held
            where j.id = held.id and j.state = 'in_doubt' and j.in_doubt and written.change in ('failover', 'restore'))
        select written.started, true, written.change, n.id, \(ServerClock.statementStart) from written, dialtone.installation n
        """
    }
}
