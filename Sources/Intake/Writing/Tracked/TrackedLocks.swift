// SPDX-License-Identifier: Apache-2.0
// The locks of a tracked batch, each in a statement of its own, so that what follows sees all that was committed.

import Model
import Postgres

/// A statement that waits for a lock reads anew only the row it waited for. Two words on one person, on two nodes,
/// would each decide without the other: a deletion and a first membership would leave the user live.
enum TrackedLocks {
    /// Makes the people who are new and locks all of them, in key order, until the transaction ends. Index people_pkey.
    ///
    /// A person whom housekeeping is deleting is waited for and made anew. The lock writes WAL, so a batch of only
    /// duplicates is durable too.
    static func meet(_ words: [NewWord]) -> SQL {
        """
        insert into dialtone.people (source_id, external_user)
        select distinct source_id, person
        from unnest(\(words.map(\.source)), \(words.map { $0.word.person.rawValue })) as t (source_id, person)
        order by 1, 2
        on conflict (source_id, external_user) do update set state = people.state where false
        """
    }

    /// Locks the users that these people have or may get, in key order. Their tenants are those that memberships are
    /// bound to, that the words give and that the mapping says. Indexes memberships_pkey, source_tenants_pkey and
    /// users_pkey.
    ///
    /// A transaction with several statements on one person locks its users in the order of those statements, unless
    /// this comes first. It may lock a user too many.
    static func users(_ words: [NewWord]) -> SQL {
        """
        with word as materialized (
            select * from unnest(
                \(words.map(\.source)), \(words.map { $0.word.person.rawValue }), \(words.map(\.organization)),
                \(words.map { $0.word.tenant?.rawValue }))
            as t (source_id, person, organization, tenant)),
        place as materialized (
            select person, tenant as tenant_id from word where tenant is not null
            union
            select word.person, bound.tenant_id from word cross join lateral (
                select memberships.tenant_id from dialtone.memberships
                where memberships.source_id = word.source_id and memberships.external_user = word.person
                  and memberships.tenant_id is not null offset 0) bound
            union
            select word.person, mapped.tenant_id from word cross join lateral (
                select source_tenants.tenant_id from dialtone.source_tenants
                where source_tenants.source_id = word.source_id
                  and source_tenants.external_tenant = word.organization
                  and source_tenants.tenant_id is not null offset 0) mapped)
        select 1 from (select tenant_id, person from place order by tenant_id collate "C", person collate "C") place
        cross join lateral (
            select users.user_id from dialtone.users
            where users.tenant_id = place.tenant_id and users.user_id = place.person
            for no key update of users) locked
        """
    }
}
