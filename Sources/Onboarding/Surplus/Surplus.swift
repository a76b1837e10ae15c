// SPDX-License-Identifier: Apache-2.0
// Credentials under our name that the ledger does not own: remembered, and deleted once committed rows prove it.
//
// A look or a sweep may find a credential of a generation that is closed or that another id owns. No user will ever get
// it, so it is deleted. The proof must be in committed rows, because a delete cannot be taken back. One statement
// (`due`) holds all conditions of the proof, and it runs just before each call. Where another credential owns the
// generation, that one is asked for too: the provider may have lost it.

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
    /// As what they are written down.
    var kind = FindingKind.second

    /// Remembers the ids, in one transaction. The last statement writes a row for each that was not remembered yet.
    ///
    /// The second statement runs behind the user's lock and under a snapshot taken after it. A statement that records a
    /// credential holds the same lock. So an id stands here or in `credentials`, never in both.
    var statements: [SQL] {
        [
            UserLock.take(self.user),
            """
            with remembered as (
                insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
                select id, \(self.user.tenant), \(self.user.user), \(self.generation), \(self.name), \(self.tag)
                from unnest(\(self.ids)) as found (id)
                -- Index credentials_provider_id_key.
                where not exists (select 1 from dialtone.credentials credential
                                  where credential.provider_id = id offset 0)
                  -- Of a generation that a fail-over has made the ledger forget nothing is proven here, and would never
                  -- be. A visit finds what it does not know. Index users_pkey.
                  and exists (select 1 from dialtone.users owner
                              where owner.tenant_id = \(self.user.tenant) and owner.user_id = \(self.user.user)
                                and owner.generation >= \(self.generation) offset 0)
                -- The provider shows it although it was deleted: delete it again. A stray has found its user.
                on conflict (provider_id) do update
                set deleted_at = null, tenant_id = excluded.tenant_id, user_id = excluded.user_id,
                    generation = excluded.generation, due_at = clock_timestamp(), attempts = 0
                where surplus.deleted_at is not null or surplus.user_id is null
                returning tenant_id, user_id, generation, provider_id, tag)
            \(Finding.write(self.kind, from: "remembered"))
            """,
        ]
    }

    /// Returns those of the ids that are known as surplus, or are strays that an operator has ordered to be deleted.
    static func among(_ ids: [ProviderID]) -> SQL {
        """
        select provider_id from dialtone.surplus where provider_id = any(\(ids)) and \(Stray.isRefused)
        """
    }

    /// Looks at surplus that is due, and takes the first that may be deleted now. Reads a row for each that it has put
    /// off: its id, whether it is taken, and the active credential of its generation, whose word is still to be heard.
    /// No row: nothing is due.
    ///
    /// What is taken comes again in two minutes, so a deleter that dies costs no more. What is not proven yet comes
    /// again in five seconds. One deleter takes a row at a time; a row that another is taking is skipped. Nothing is
    /// due while the server is not the one that the ledger was met on, or while an operator's word is missing. Index
    /// surplus_due.
    ///
    /// The proofs need no trust in the ledger: they stay true in every later state, so commits that were lost since
    /// change nothing. A row of nobody (a stray) goes by an operator's word alone, two minutes after it.
    static var due: SQL { Self.due(of: nil) }

    /// The same for the rows of one tenant; nil for all.
    static func due(of tenant: TenantID?) -> SQL {
        """
        with looked_at as materialized (
            select surplus.provider_id, surplus.due_at, surplus.tenant_id, surplus.user_id, surplus.generation,
                   \(Stray.isDoomed) as is_doomed
            from dialtone.surplus
            where surplus.deleted_at is null and \(Stray.isRefused) and surplus.due_at <= statement_timestamp()
              and (surplus.user_id is not null or \(Stray.isDoomed)) and \(Self.isOf(tenant)) and \(Self.mayBeDeleted)
            order by surplus.due_at limit 64 for no key update skip locked),
        judged as materialized (
            select surplus.provider_id, surplus.due_at, (\(Self.activeOwner)) as owner,
                   not exists (select 1 from dialtone.credentials credential
                               where credential.provider_id = surplus.provider_id offset 0)
                   and (surplus.is_doomed or \(Self.isOwnedByAnotherID) or \(Self.isClosed)) as is_proven
            from looked_at surplus),
        taken as (select provider_id from judged where is_proven order by due_at, provider_id limit 1)
        update dialtone.surplus
        set due_at = clock_timestamp() + case when judged.is_proven then interval '2 minutes'
                                              else interval '5 seconds' end
        from judged
        where surplus.provider_id = any(array[judged.provider_id])
          and (not judged.is_proven or judged.provider_id = (select provider_id from taken))
        returning surplus.provider_id, judged.is_proven, judged.owner
        """
    }

    /// Reads those of the ids whose delete is still to come, by whatever deleter. One that was refused is not awaited,
    /// and none is while nothing may be deleted. Index surplus_pkey.
    static func awaited(_ ids: [ProviderID], of tenant: TenantID?) -> SQL {
        """
        select surplus.provider_id from dialtone.surplus
        where surplus.provider_id = any(\(ids)) and \(Self.isOpen) and surplus.attempts = 0 and \(Stray.isRefused)
          and \(Self.isOf(tenant)) and \(Self.mayBeDeleted)
          and not exists (select 1 from dialtone.credentials credential
                          where credential.provider_id = surplus.provider_id offset 0)
        """
    }

    /// Reads those of the ids that are deleted. Index surplus_pkey.
    static func gone(among ids: [ProviderID]) -> SQL {
        "select provider_id from dialtone.surplus where provider_id = any(\(ids)) and not \(Self.isOpen)"
    }

    /// A condition on row `surplus`: it is of this tenant. One of nobody is of the tenant that its tag names.
    private static func isOf(_ tenant: TenantID?) -> SQL {
        guard let tenant else { return "true" }
        return """
            (surplus.tenant_id = \(tenant)
             or surplus.tenant_id is null and split_part(surplus.tag, '.', 1) = \(tenant))
            """
    }

    /// Whether the server is the one that the ledger was met on, and no operator's word is missing.
    private static let mayBeDeleted: SQL =
        "(select not incarnation.is_stopped and \(KnownServer.answers) from dialtone.incarnation)"

    /// The active credential of the generation of row `surplus`. Primary key of credentials.
    private static let activeOwner: SQL = """
        select credential.provider_id from dialtone.credentials credential
        where credential.tenant_id = surplus.tenant_id and credential.user_id = surplus.user_id
          and credential.generation = surplus.generation and coalesce(credential.status = 'active', false) offset 0
        """

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

    /// Forgets surplus that was recorded as a credential meanwhile: the ledger owns it. Index surplus_open.
    static let disown: SQL = """
        delete from dialtone.surplus surplus using dialtone.credentials credential
        where surplus.deleted_at is null and credential.provider_id = surplus.provider_id
        """

    /// The provider has answered 200 or 404. The tag holds one less. Indexes surplus_pkey and tenant_tags_tag_key.
    static func deleted(_ id: ProviderID) -> SQL {
        """
        with gone as (
            update dialtone.surplus set deleted_at = clock_timestamp()
            where provider_id = \(id) and \(Self.isOpen) returning tag)
        update dialtone.tenant_tags set changed_at = clock_timestamp() where tag = (select tag from gone)
        """
    }

    /// The delete has failed, or the owner's word is missing. The pause before the next try doubles from `first` on, up
    /// to ten minutes.
    static func putOff(_ id: ProviderID, first: Duration) -> SQL {
        """
        update dialtone.surplus
        set attempts = attempts + 1,
            due_at = clock_timestamp() + least(interval '10 minutes', \(first) * power(2, least(attempts, 10)))
        where provider_id = \(id) and \(Self.isOpen)
        """
    }

    /// What was taken is due again after this wait. Index surplus_pkey.
    static func holdBack(_ id: ProviderID, for wait: Duration) -> SQL {
        "update dialtone.surplus set due_at = clock_timestamp() + \(wait) where provider_id = \(id) and \(Self.isOpen)"
    }

    /// True for a row that is not deleted. While the table is nearly empty the planner would rather walk an index of the
    /// open rows than enter the primary key. It does not recognise this form.
    private static let isOpen: SQL = "coalesce(deleted_at is null, false)"

    /// The owner of a generation is not there. From now on it is missing, and whoever asks a second time decides. The
    /// second credential stays until then: it may be all that the user has. Index credentials_provider_id_key.
    static func ownerIsMissing(_ owner: ProviderID) -> SQL {
        """
        with changed as (
            update dialtone.credentials set missing_since = clock_timestamp()
            where provider_id = \(owner) and coalesce(status = 'active', false) and missing_since is null
            returning tenant_id, user_id, generation, provider_id, tag)
        \(Finding.write(.missing, from: "changed"))
        """
    }
}
