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
// How a change is noticed. The one row of `dialtone.incarnation` holds three things about the server that the ledger
// was last met on: the system identifier, the timeline of its WAL, and the start of its postmaster. A statement that
// claims jobs, takes surplus to delete or begins a sweep compares the row's start with its server's start. So nothing
// new is begun between the change and the adoption, even if no worker has noticed the change yet.
//
//     another start  ─▶  nothing is  ─▶  `adopt` writes  ─▶  each create  ─▶  a sweep sees  ─▶  the tenant's
//     answers            claimed         what happened       looks first      the tenant        creates go at once
//
// The five cases. `adopt` compares the system and the timeline with the row.
//
//     row   system   timeline   change     looks first   quiet first   deletes at the provider
//     none  –        –          first      no            no            as always
//     yes   same     same       restart    yes           as before     surplus waits until its tenant is swept
//     yes   same     another    failover   yes           yes           surplus waits until its tenant is swept
//     yes   another  any        restore    yes           yes           none until an operator says what this is
//     yes   hidden   hidden     unknown    yes           yes           none until an operator says what this is
//
// - first: the first worker of a new installation has met its server. There is nothing to forget. Costs nothing.
// - restart: the data directory is the same, so every acknowledged commit is there. But the server may stand on an
//   older snapshot of that disk, which looks exactly the same. So every create looks first. The cost is one look per
//   create.
// - failover: a standby was promoted, or a backup was recovered to a point in time. The last commits may be missing,
//   and a create that they allowed may still be on its way. So an empty look proves absence only after `quiet_until`
//   (`looks_twice`): one lease and the landing time after the adoption. A user who signs up before that waits for it.
// - restore: the system identifier is another, so the data was copied, for example by a dump. The original may still
//   run and own the same credentials. Neither a job nor surplus deletes anything at the provider until an operator
//   has run `dialtone installation confirm` (`InstallationConfirmation`). Creates go on: a look finds what the
//   original has made.
// - unknown: the server was met under `ServerIdentity.start`, or the row was written under it. Then system and timeline
//   are null, and the start is all that differs. It may be any of the three cases above, so it is treated as a restore:
//   absence waits for `quiet_until`. Nothing is deleted at the provider until an operator has confirmed the installation.
//   This is the weaker mode. It keeps the promise, and every restart costs an operator's word.
//
// A server that refuses to be asked under `ServerIdentity.system` is never adopted. The worker claims nothing, and its
// readiness names the function (`ServerIdentity.verify`).
//
// A second change may come before the first is over. `looks_twice` and `is_stopped` therefore stay when they were
// set.
//
// How trust returns: tenant by tenant. A claim compares `tenants.swept_under` with the start of the server that its
// worker knows. While they differ, the job carries this row's distrust (`LedgerTrust`): `looksFirst`, and
// `looksTwice` with `quiet_until`. `SweepLease.saw` writes `swept_under` when a sweep has listed every tag of the
// tenant. When commits may be lost, the sweep of that tenant must have begun after `quiet_until`.
// `SweepLease.end` clears `looks_first` and `looks_twice` once every tenant has been seen under this start. A tenant
// that no sweep has ever seen goes on looking first, because a backup may have forgotten it. `is_stopped` holds for
// all tenants, and only an operator ends it.
//
// Workers and what they hold. Each worker takes a new id when it meets the changed server. A server that has lost a
// claim may give the same epoch of a job out again. The id then tells the two holders apart. A provider id that a
// former worker brings is still recorded, because evidence needs no lease. A claimed job keeps its worker in its row.
// It gets a new lease by this server's clock, which may differ from the clock before. When nobody finishes the job,
// that lease runs out and the job goes into doubt. When commits may be lost, each doubtful job begins its empty
// looks and its quiet time anew.

import Foundation
import Model
import Postgres
import Queue

/// The server that answers, as the worker has read it.
struct Incarnation: Sendable, Equatable {
    /// When the server's postmaster started, in microseconds since 1970.
    var started: Int64
    /// `first`, `restart`, `failover`, `restore` or `unknown`, when this statement has written it; else nil.
    var change: String?
    /// Whether the committed row names this start of the server. Only then may jobs be claimed.
    var isKnown: Bool
    /// The installation whose names are made here. `installation confirm --clone` changes it under a running worker.
    var installation: UUID
    /// The server's clock, in microseconds since 1970.
    var now: Int64

    /// Reads a row of `current` or `adopt`: start, whether it is known, change, installation, clock.
    static func read(_ row: PostgresRow) throws -> Incarnation {
        let (started, isKnown, change, installation, now) = try row.decode(
            Int64.self, Bool.self, String?.self, UUID.self, Int64.self)
        return Incarnation(started: started, change: change, isKnown: isKnown, installation: installation, now: now)
    }

    /// Reads whether the server is still the one of the row. Takes no lock and writes nothing.
    static let current: SQL = """
        select \(ServerClock.start),
               coalesce(incarnation.started = \(ServerClock.start), false),
               null::text,
               installation.id,
               \(ServerClock.statementStart)
        from dialtone.installation installation left join dialtone.incarnation incarnation on true
        """
}
