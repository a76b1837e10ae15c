// SPDX-License-Identifier: Apache-2.0
// What deleted sources have told of people goes, a page at a time, and what is kept of their events in quarantine.

import Postgres

/// `source delete` marks the source and ends. A node may believe the source for some seconds more, so what is here is
/// done again and again, for a day at least and until nothing is left. The ledger's rows stay, and so do the users.
enum DeletedSources {
    /// Returns the statements of one turn. Each is a transaction of its own and takes one page of a table at most.
    ///
    /// Rows that another transaction holds are left for the next turn, so nothing here waits. Memberships come before
    /// their people, because a person whose memberships are there is never taken for somebody who waits.
    static func forget(limit: Int64) -> [SQL] {
        Self.tables.map { Self.delete($0, limit) } + [Self.endQuarantine(limit: limit), Self.end]
    }

    /// A table, and the columns of its primary key after the source.
    private struct Table {
        let name: String
        let order: String
    }

    private static let tables = [
        Table(name: "memberships", order: "told.external_user, told.external_tenant"),
        Table(name: "people", order: "told.external_user"),
        Table(name: "tally", order: "told.minutes, told.bucket, told.outcome, told.reason"),
        Table(name: "samples", order: "told.outcome, told.slot"),
        Table(name: "source_tenants", order: "told.external_tenant"),
        Table(name: "source_pulls", order: "told.source_id"),
    ]

    /// Each table's primary key begins with the source: memberships_pkey, people_pkey, tally_pkey, samples_pkey,
    /// source_tenants_pkey, source_pulls_pkey. The order is that of the key. Without it a plan that knows the source
    /// takes the first rows of the whole table, and walks all of it once the source has no rows. A locked row does not
    /// move, so it is found again by its place (`ctid`).
    private static func delete(_ table: Table, _ limit: Int64) -> SQL {
        """
        with due as materialized (
            select line.place from (\(Self.sources)) source
            cross join lateral (
                select told.ctid as place from dialtone.\(unsafeText: table.name) told
                where told.source_id = source.source_id
                order by \(unsafeText: table.order) limit \(limit)
                for update of told skip locked) line
            limit \(limit))
        delete from dialtone.\(unsafeText: table.name) where ctid = any(array(select place from due))
        """
    }

    /// Nobody will settle them any more. Indexes quarantine_open and events_pkey.
    private static func endQuarantine(limit: Int64) -> SQL {
        """
        with aged as materialized (
            select line.place, line.event_id from (\(Self.sources)) source
            cross join lateral (
                select quarantine.ctid as place, quarantine.event_id from dialtone.quarantine
                where quarantine.source_id = source.source_id and quarantine.settled_at is null
                order by quarantine.arrived_at limit \(limit)
                for update of quarantine skip locked) line
            limit \(limit)),
        \(OldQuarantine.due)
        update dialtone.quarantine
        set settled_at = statement_timestamp(), settled_by = 'dropped', sealed = null, picks = null
        where ctid = any(array(select place from due))
        """
    }

    /// Ends the work on sources of which nothing is left. After a day no node believes such a source, and none has a
    /// count of it in memory, so nothing comes any more. The mark of a source that is done is that `stopped_at` is null.
    ///
    /// Locks the rows of `sources` that it marks. Nobody else writes one that is deleted. Each look is at one row, by the
    /// same index as above.
    private static var end: SQL {
        let looks = Self.tables.map { table -> SQL in
            """
            and (select told.source_id from dialtone.\(unsafeText: table.name) told
                 where told.source_id = sources.source_id order by \(unsafeText: table.order) limit 1) is null
            """
        }
        let isEmpty = looks.reduce("" as SQL) { (told: SQL, look: SQL) -> SQL in "\(told)\n\(look)" }
        return """
            update dialtone.sources set stopped_at = null
            where status = 'deleted' and stopped_at < statement_timestamp() - interval '1 day'
              and (select quarantine.source_id from dialtone.quarantine
                   where quarantine.source_id = sources.source_id and quarantine.settled_at is null
                   order by quarantine.arrived_at limit 1) is null\(isEmpty)
            """
    }

    private static let sources: SQL =
        "select source_id from dialtone.sources where status = 'deleted' and stopped_at is not null"
}
