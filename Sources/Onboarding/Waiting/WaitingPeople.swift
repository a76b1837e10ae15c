// SPDX-License-Identifier: Apache-2.0
// People of whom a source has told, and who have waited for a membership in vain: they are forgotten, a page at a time.

import Postgres

/// Nothing is lost with a person who waits: a membership that is told later brings in the user by itself. A person of
/// whom more was told stays, and waits no more: a deletion must still be known when an older word comes.
enum WaitingPeople {
    /// Forgets the people of the next page. Returns one row: how many there were.
    ///
    /// Locks the people first and skips those whom intake holds. Intake waits for a row that is being deleted and makes
    /// it anew. Indexes people_waiting and memberships_pkey, entered once for each source. A locked row does not move,
    /// so it is found again by its place (`ctid`).
    static func forget(limit: Int64) -> SQL {
        """
        with due as materialized (
            select person.place, person.stays from dialtone.sources source
            cross join lateral (
                select people.ctid as place,
                       people.ended_at is not null or people.listed_at is not null or people.state <> 'live'
                       or exists (select 1 from dialtone.memberships
                                  where memberships.source_id = people.source_id
                                    and memberships.external_user = people.external_user) as stays
                from dialtone.people
                where people.source_id = source.source_id and people.waits_until <= statement_timestamp()
                order by people.waits_until limit \(limit)
                for update of people skip locked) person
            limit \(limit)),
        forgotten as (
            delete from dialtone.people where ctid = any(array(select place from due where not stays))),
        kept as (
            update dialtone.people set waits_until = null
            where ctid = any(array(select place from due where stays)))
        select count(*) from due
        """
    }
}
