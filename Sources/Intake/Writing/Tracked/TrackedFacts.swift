// SPDX-License-Identifier: Apache-2.0
// What a word adds to the facts that its source has told, whatever the order in which words arrive.

import Postgres

/// The people are locked by `TrackedLocks.meet`, in a statement before, so all that is read here is the newest.
///
/// Newest wins. At equal times "gone" beats "live", and "suspended" beats "live". A word without a time is older than
/// all others when it gives and newer when it takes away, so no null is compared.
enum TrackedFacts {
    /// The words with what is known of their person and membership, and the time that each counts as of. Indexes
    /// people_pkey and memberships_pkey. `offset 0` keeps a lateral from becoming a join that walks the table.
    ///
    /// Under `order: arrival` a word counts as of the database's clock, and always after what it meets: the nodes'
    /// clocks may differ. An event that is settled counts as of the time that it came into quarantine, and not of now:
    /// what was told since stays. Indexes events_pkey and quarantine_pkey.
    ///
    /// `stays`: the membership is bound, and the word does not move it. A leave goes to where the membership is bound,
    /// and a membership that counts stays there, wherever the organisation is mapped by now.
    static func known(isSettling: Bool) -> SQL {
        let arrival = isSettling ? Self.arrivalInQuarantine : Self.arrivalNow
        return """
            select word.*, person.state, person.told_at, person.ended_at, person.listed_at, person.waits_until,
                   member.state as member_state, member.told_at as member_told, member.tenant_id as bound,
                   coalesce(member.tenant_id is not null
                            and (word.membership_word = 'gone'
                                 or member.state = 'live'
                                    and coalesce(member.told_at > person.ended_at, true)
                                    and coalesce(member.told_at >= person.listed_at, true)), false) as stays,
                   coalesce(
                       word.occurred_at,
                       case when word.by_arrival then \(arrival) end,
                       case when word.membership_word = 'gone' or word.person_word in ('suspended', 'deleted')
                            then timestamptz 'infinity' else '-infinity' end) as at
            from input word
            cross join lateral (
                select people.* from dialtone.people
                where people.source_id = word.source_id and people.external_user = word.person offset 0) person
            left join lateral (
                select memberships.* from dialtone.memberships
                where memberships.source_id = word.source_id and memberships.external_user = word.person
                  and memberships.external_tenant = word.organization offset 0) member on true
            """
    }

    private static let arrivalNow: SQL = """
        greatest(statement_timestamp(),
                 greatest(nullif(person.told_at, 'infinity'), nullif(person.ended_at, 'infinity'),
                          nullif(person.listed_at, 'infinity'), nullif(member.told_at, 'infinity'))
                     + interval '1 microsecond')
        """

    /// An unmapped word has its time in the ledger. Its note may have come much later.
    private static let arrivalInQuarantine: SQL = """
        coalesce((select events.occurred_at from dialtone.events where events.event_id = word.event_id),
                 (select quarantine.arrived_at from dialtone.quarantine where quarantine.event_id = word.event_id),
                 (select events.received_at from dialtone.events where events.event_id = word.event_id),
                 word.received_at)
        """

    /// Whether each word is news: on the membership, on the person, as a list. `binds`: the membership was told before
    /// its organisation was mapped, and now has a tenant.
    static let judged: SQL = """
        select known.*, place.target, place.is_ignored, place.is_not_kept,
               coalesce(not place.is_ignored
                   and (membership_word = 'live' and (ended_at is null or at > ended_at)
                            and (listed_at is null or at >= listed_at)
                            and (member_state is null or member_state = 'none' or at > member_told)
                        or membership_word = 'gone'
                            and (member_state is null or member_state = 'none' or at >= member_told)),
                   false) as is_member_news,
               coalesce(person_word = 'live' and at > told_at
                        or person_word = 'suspended' and at >= told_at
                        or person_word = 'deleted' and (ended_at is null or at >= ended_at), false) as is_person_news,
               is_whole and (listed_at is null or at >= listed_at) as is_list_news,
               coalesce(membership_word = 'live' and member_state = 'live' and bound is null
                        and place.target is not null, false) as binds
        from known cross join lateral (\(Self.place)) place
        """

    /// The tenant that the word on a membership is for: where it is bound, what the configuration gives, or what the
    /// mapping says. Null: none is known. A source that belongs to one tenant reaches no other. An organisation that an
    /// operator is taking out of the table is not mapped. Index source_tenants_pkey.
    ///
    /// `is_ignored`: an operator has said that the organisation is none of ours. Or it is not mapped, the quarantine of
    /// its source is full, and the word speaks of the membership alone. A leave still ends what is known of one.
    private static let place: SQL = """
        select case when known.organization is null then null
                    when known.stays then known.bound
                    when known.tenant is not null then known.tenant
                    else mapped.tenant_id end as target,
               known.organization is not null and not known.stays and known.tenant is null
                   and mapped.tenant_id is null
                   and (mapped.is_mapped is true
                        or not known.keeps_unmapped and known.person_word is null and not known.is_whole
                           and (known.membership_word = 'live'
                                or known.membership_word = 'gone' and known.member_state is null)) as is_ignored,
               mapped.is_mapped is null and not known.keeps_unmapped as is_not_kept
        from (select) one left join lateral (
            select source_tenants.tenant_id, true as is_mapped from dialtone.source_tenants
            where source_tenants.source_id = known.source_id
              and source_tenants.external_tenant = known.organization
              and not source_tenants.is_leaving
              and (known.owner = '-' or coalesce(source_tenants.tenant_id, known.owner) = known.owner)
            offset 0) mapped on true
        """

    /// The person's facts with the word taken in. A deletion only raises `ended_at`: it voids what was told up to its
    /// time, also what arrives later. A suspension voids nothing.
    ///
    /// `is_wide`: it may touch every tenant of the person. `is_passed`: it is about an organisation that is ignored,
    /// and says nothing else.
    static let after: SQL = """
        select judged.*,
               case when is_person_news and person_word = 'deleted' then at else ended_at end as ended_then,
               case when is_list_news then at else listed_at end as listed_then,
               case when is_person_news and person_word <> 'deleted' then person_word else state end as state_then,
               case when is_person_news and person_word <> 'deleted' then at else told_at end as told_then,
               is_person_news or is_list_news as is_wide,
               is_ignored and person_word is null and not is_whole as is_passed
        from judged
        """
}
