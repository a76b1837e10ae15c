// SPDX-License-Identifier: Apache-2.0
// What deleted sources have told of people goes, a page at a time, and what is kept of their events in quarantine.

import Postgres

/// `source delete` marks the source and ends. A node may believe the source for some seconds more, so what is here is
/// done again and again. The ledger's rows stay, and so do the users.
enum DeletedSources {
    /// Returns the statements of one turn. Each is a transaction of its own and takes one page of a table at most.
    ///
    /// Rows that another transaction holds are left for the next turn, so nothing here waits. Memberships come before
    /// their people, because a person whose memberships are there is never taken for somebody who waits.
    static func forget(limit: Int64) -> [SQL] {
        [
            Self.delete("memberships", limit), Self.delete("people", limit), Self.endQuarantine(limit: limit),
            Self.delete("tally", limit), Self.delete("samples", limit),
        ]
    }

    /// Each table's primary key begins with the source: memberships_pkey, people_pkey, tally_pkey, samples_pkey. A
    /// locked row does not move, so it is found again by its place (`ctid`).
    private static func delete(_ table: String, _ limit: Int64) -> SQL {
        """
        with due as materialized (
            select line.place from (\(Self.sources)) source
            cross join lateral (
                select told.ctid as place from dialtone.\(unsafeText: table) told
                where told.source_id = source.source_id limit \(limit)
                for update of told skip locked) line
            limit \(limit))
        delete from dialtone.\(unsafeText: table) where ctid = any(array(select place from due))
        """
    }

    /// Nobody will settle them any more. Index quarantine_open.
    private static func endQuarantine(limit: Int64) -> SQL {
        """
        with due as materialized (
            select line.place from (\(Self.sources)) source
            cross join lateral (
                select quarantine.ctid as place from dialtone.quarantine
                where quarantine.source_id = source.source_id and quarantine.settled_at is null limit \(limit)
                for update of quarantine skip locked) line
            limit \(limit))
        update dialtone.quarantine
        set settled_at = statement_timestamp(), settled_by = 'dropped', sealed = null, picks = null
        where ctid = any(array(select place from due))
        """
    }

    private static let sources: SQL = "select source_id from dialtone.sources where status = 'deleted'"
}
