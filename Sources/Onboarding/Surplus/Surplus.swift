// SPDX-License-Identifier: Apache-2.0
// Credentials under our name that the ledger does not own: remembered, and deleted once committed rows prove it.
//
// A look or a sweep may find a credential of a generation that is closed or that another id owns. No user will ever get
// it, so it is deleted. The proof must be in committed rows, because a delete cannot be taken back. One statement
// (`due`) holds all conditions of the proof, and it runs just before each call.

import Model
import Postgres
import Queue

/// Surplus credentials of one generation of one user.
struct Surplus: Sendable {
    var ids: [ProviderID]
    var user: UserKey
    var generation: Generation
    var name: String
    var tag: String?

    /// Remembers the ids, in one transaction.
    ///
    /// The second statement runs behind the user's lock and under a snapshot taken after it. A statement that records a
    /// credential holds the same lock. So an id stands here or in `credentials`, never in both.
    var statements: [SQL] {
        [
            UserLock.take(self.user),
            """
            insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
            select id, \(self.user.tenant), \(self.user.user), \(self.generation), \(self.name), \(self.tag)
            from unnest(\(self.ids)) as found (id)
            -- Index credentials_provider_id_key.
            where not exists (select 1 from dialtone.credentials credential where credential.provider_id = id)
            -- The provider shows it although it was deleted: delete it again.
            on conflict (provider_id) do update set deleted_at = null where surplus.deleted_at is not null
            """,
        ]
    }

    /// Returns those of the ids that are known as surplus, or are strays that an operator has ordered to be deleted.
    static func among(_ ids: [ProviderID]) -> SQL {
        """
        select provider_id from dialtone.surplus where provider_id = any(\(ids))
        union select provider_id from dialtone.strays where provider_id = any(\(ids)) and doomed_at is not null
        """
    }

    /// Takes the oldest surplus that may be deleted now, for `hold`, and returns its id.
    ///
    /// One deleter takes it at a time; a row that another is taking is skipped. Index surplus_open.
    static func due(hold: Duration) -> SQL {
        """
        with due as materialized (
            select surplus.provider_id from dialtone.surplus surplus
            where surplus.deleted_at is null and coalesce(surplus.claimed_until < clock_timestamp(), true)
              and not exists (select 1 from dialtone.credentials credential
                              where credential.provider_id = surplus.provider_id offset 0)
              and (\(Self.isOwnedByAnotherID) or \(Self.isClosed))
              and \(Self.isLedgerTrusted)
            order by surplus.found_at limit 1 for no key update of surplus skip locked)
        update dialtone.surplus surplus
        set claimed_until = clock_timestamp() + \(hold)
        from due where surplus.provider_id = due.provider_id
        returning surplus.provider_id
        """
    }

    /// Whether another credential of the ledger has the generation of row `surplus`. Primary key of credentials.
    private static let isOwnedByAnotherID: SQL = """
        exists (select 1 from dialtone.credentials credential
                where credential.tenant_id = surplus.tenant_id and credential.user_id = surplus.user_id
                  and credential.generation = surplus.generation offset 0)
        """

    /// Whether the generation of row `surplus` is closed: the user has a later one, or is gone, and no job works on it.
    private static let isClosed: SQL = """
        exists (select 1 from dialtone.users owner
                where owner.tenant_id = surplus.tenant_id and owner.user_id = surplus.user_id
                  and (owner.generation > surplus.generation
                       or owner.wanted = 'gone' and owner.generation = surplus.generation)
                  and not exists (select 1 from dialtone.jobs job
                                  where job.tenant_id = owner.tenant_id and job.user_id = owner.user_id
                                    and job.generation = surplus.generation offset 0) offset 0)
        """

    /// Whether the ledger knows what it ever knew of the tenant of row `surplus`, and stands on no other system.
    private static let isLedgerTrusted: SQL = """
        exists (select 1 from dialtone.incarnation incarnation
                where incarnation.started = \(ServerClock.start) and not incarnation.is_stopped
                  and (not incarnation.looks_first
                       or exists (select 1 from dialtone.tenants tenant
                                  where tenant.tenant_id = surplus.tenant_id
                                    and tenant.swept_under = incarnation.started)))
        """

    /// Forgets surplus that was recorded as a credential meanwhile: the ledger owns it. Index surplus_open.
    static let disown: SQL = """
        delete from dialtone.surplus surplus using dialtone.credentials credential
        where surplus.deleted_at is null and credential.provider_id = surplus.provider_id
        """

    /// The provider has answered 200 or 404.
    static func deleted(_ id: ProviderID) -> SQL {
        "update dialtone.surplus set deleted_at = clock_timestamp() where provider_id = \(id) and deleted_at is null"
    }

    /// The delete has failed. The pause before the next try doubles, up to ten minutes.
    static func failed(_ id: ProviderID) -> SQL {
        """
        update dialtone.surplus
        set attempts = attempts + 1,
            claimed_until = clock_timestamp() + least(600, power(2, least(attempts, 10))) * interval '1 second'
        where provider_id = \(id) and deleted_at is null
        """
    }
}
