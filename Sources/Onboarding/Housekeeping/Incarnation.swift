// SPDX-License-Identifier: Apache-2.0
// Which PostgreSQL server the ledger lives on, and what the ledger is worth after that server has changed.
//
// The meaning of a change of the server
//
// Overview. The promise "one credential per user" rests on committed rows: a create is sent only after a commit has
// said so. A server that has lost commits, or that holds an older copy of the data, has forgotten creates that were
// sent. Dialtone cannot prevent that. It notices the change, and then it believes the ledger less until it has
// compared the ledger with the provider again.
//
// The identity. The one row of `dialtone.incarnation` says what the ledger was last met on: the system identifier, the
// timeline of the WAL, the start of the postmaster, the database's oid, and the file of the table itself. A dump that
// is loaded into the running server changes the last two alone.
//
// The era. Each change of the identity draws a random number, the era. Workers, tenants and tags name the era that they
// mean. So nothing that was said before a change passes for something said after it.
//
//     another      ─▶  nothing is  ─▶  `adopt` writes  ─▶  each create  ─▶  visits see   ─▶  the tenant's
//     server answers   claimed         a new era           looks first      the tags         creates go at once
//
// How a change is noticed. A statement that claims jobs or takes surplus to delete compares start, database and file
// with what answers (`KnownServer`). So nothing new is begun between the change and the adoption, even if no worker has
// noticed the change yet. Housekeeping asks the same each tick (`current`).
//
// The cases. `adopt` compares the identity with the row.
//
//     what differs            change     absence waits for     deletes at the provider
//     no row is there         first      –                     as always
//     the start alone         restart    what was ahead        as always
//     the file alone          reload     now + quiet time      as always
//     the timeline            failover   now + quiet time      as always
//     the system or database  restore    now + quiet time      none until an operator says what this is
//     the start, rest hidden  unknown    now + quiet time      none until an operator says what this is
//
// - first: the first worker of a new installation has met its server. There is nothing to forget, and all is seen.
// - restart: the data directory is the same, so every acknowledged commit is there. But the server may stand on an
//   older snapshot of that disk, which looks exactly the same. So every create looks first, and one look suffices at
//   once. A quiet time that an earlier change has set goes on.
// - reload: somebody loaded a dump into the same database. VACUUM FULL of the table looks the same, and costs as much.
// - failover: a standby was promoted, or a backup was recovered to a point in time. The last commits may be missing,
//   and a create that they allowed may still be on its way. So nothing is absent before `quiet_until`: one lease and
//   the landing time after the adoption. A user who signs up before that waits for it.
// - restore: the data was copied, for example by a dump. The original may still run and own the same credentials.
//   Neither a job nor surplus deletes anything at the provider until an operator has run `dialtone installation
//   confirm` (`InstallationConfirmation`). Creates go on: a look finds what the original has made.
// - unknown: the server was met under `ServerIdentity.start`, or the row was written under it. Then system and timeline
//   are null. It may be any of the cases above, so it is treated as a restore. This is the weaker mode. It keeps the
//   promise, and every restart costs an operator's word.
//
// A server that refuses to be asked under `ServerIdentity.system` is never adopted. The worker claims nothing, and its
// readiness names the function (`ServerIdentity.verify`). A second change may come before the first is over:
// `is_stopped` stays when it was set, and so does `has_lost`.
//
// What is not noticed. A virtual machine that is set back together with the memory of its server keeps all of the
// identity. The visits find what it has forgotten.
//
// How trust returns: tag by tag, and so tenant by tenant (`TenantTrust`). A claim compares `tenants.seen_era` with the
// era. While they differ, the tenant's queued creates look first, and absence waits for `quiet_until` too. A new era
// makes all tags due (`makeTagsDue`), and the tags of tenants with jobs come first (`TagDemand`). Deletes of surplus
// need no trust: their proofs stay true in every later state of the ledger. `is_stopped` holds for all tenants, and
// only an operator ends it.
//
// New tenants. While the server has never changed (`has_lost` is false), a new tenant is seen from the start. Later it
// may be a tenant that the ledger has forgotten, so it begins unseen.
//
// Workers and what they hold. Each worker takes a new id in each era. A server that has lost a claim may give the same
// epoch of a job out again. The id then tells the two holders apart. A provider id that a former worker brings is still
// recorded, because evidence needs no lease. A claimed job keeps its worker in its row. It gets a new lease by this
// server's clock, which may differ from the clock before. When nobody finishes the job, that lease runs out and the job
// goes into doubt. Jobs in doubt are left as they are: their claims take the later of the two quiet times.

import Foundation
import Model
import Postgres
import Queue

/// The server that answers, as the worker has read it.
struct Incarnation: Sendable, Equatable {
    /// The era of the committed row; nil when there is no row.
    var era: Int64?
    /// When the server's postmaster started, in microseconds since 1970.
    var started: Int64
    /// The value of `incarnation.change`, when this statement has written it; else nil.
    var change: String?
    /// Whether the committed row names this server and this database. Only then may jobs be claimed.
    var isKnown: Bool
    /// The installation whose names are made here. `installation confirm --clone` changes it under a running worker.
    var installation: UUID
    /// The server's clock, in microseconds since 1970.
    var now: Int64

    /// Reads a row of `current` or `adopt`: era, start, whether it is known, change, installation, clock.
    static func read(_ row: PostgresRow) throws -> Incarnation {
        var columns = row.columns
        return Incarnation(
            era: try columns.next(), started: try columns.next(), change: try columns.next(String?.self),
            isKnown: try columns.next(), installation: try columns.next(), now: try columns.next())
    }

    /// Reads whether the server is still the one of the row. Takes no lock and writes nothing.
    static let current: SQL = """
        select incarnation.era,
               \(ServerClock.start),
               null::text,
               coalesce(\(KnownServer.answers), false),
               installation.id,
               \(ServerClock.statementStart)
        from dialtone.installation installation left join dialtone.incarnation incarnation on true
        """

    /// Makes the tags due that are not seen in this era: now, or when the quiet time is over, because no list counts
    /// before. Repeated by each worker that meets the era, so a worker that dies here does no harm.
    ///
    /// Locks tags in the order of claims. Reads them all, which is rare: once per worker and era.
    static let makeTagsDue: SQL = """
        with line as materialized (
            select tag.tenant_id, tag.shard, greatest(incarnation.quiet_until, statement_timestamp()) as due
            from dialtone.incarnation cross join dialtone.tenant_tags tag
            where tag.seen_era is distinct from incarnation.era
              and tag.due_at > greatest(incarnation.quiet_until, statement_timestamp())
            order by tag.tenant_id, tag.shard for no key update of tag)
        update dialtone.tenant_tags tag set due_at = line.due
        from line where tag.tenant_id = line.tenant_id and tag.shard = line.shard
        """
}
