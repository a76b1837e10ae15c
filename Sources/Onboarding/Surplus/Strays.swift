// SPDX-License-Identifier: Apache-2.0
// Credentials in our tags under our names that no user of the ledger can have: shown, and never deleted unasked.

import Foundation
import Model
import Postgres

/// A stray is surplus of nobody: its row has no user. When its owner is found, the row becomes that user's surplus, or
/// goes when the owner's job has recorded it.
struct Stray: Sendable, Hashable {
    let id: ProviderID
    /// Its name at the provider.
    let name: String
    /// The tag that it was listed under; nil when the list may have shown other tags.
    let tag: String?

    /// The tenant that the tag names; nil when it names none.
    var tenant: TenantID? {
        self.tag.flatMap { TenantID(rawValue: String($0.prefix { $0 != "." })) }
    }

    /// From an operator's word until the delete, at the earliest. A record that began before the word has ended by
    /// then.
    static let reprieve: Duration = .seconds(120)

    /// Enters strays, each as a finding too. One that stands there already keeps what is known of it. Indexes
    /// surplus_pkey and credentials_provider_id_key.
    static func remember(_ strays: [Stray]) -> SQL {
        """
        with remembered as (
            insert into dialtone.surplus (provider_id, name, tag)
            select id, name, tag
            from unnest(\(strays.map(\.id)), \(strays.map(\.name)), \(strays.map(\.tag))) as stray (id, name, tag)
            where not exists (select 1 from dialtone.credentials where credentials.provider_id = stray.id offset 0)
            on conflict (provider_id) do update
            set tag = coalesce(excluded.tag, surplus.tag), deleted_at = null,
                found_at = case when surplus.deleted_at is null then surplus.found_at else clock_timestamp() end,
                walked_at = case when surplus.deleted_at is null then surplus.walked_at end,
                doomed_at = case when surplus.deleted_at is null then surplus.doomed_at end
            where surplus.user_id is null
              -- A list may show for a while what was deleted just now.
              and (surplus.deleted_at < clock_timestamp() - interval '2 minutes'
                   or surplus.deleted_at is null and excluded.tag is not null
                      and surplus.tag is distinct from excluded.tag)
            returning provider_id, tag),
        found as (
            -- A tag is its tenant's name up to the first dot.
            select nullif(split_part(tag, '.', 1), '') as tenant_id, null::text as user_id,
                   null::integer as generation, provider_id, tag
            from remembered)
        \(Finding.write(.stray, from: "found"))
        """
    }

    /// Forgets strays that are gone at the provider. Index surplus_pkey.
    static func forget(_ ids: [ProviderID]) -> SQL {
        "delete from dialtone.surplus where provider_id = any(\(ids)) and user_id is null"
    }

    /// Marks strays that an operator has ordered to be deleted. From then on a look leaves them out and a record
    /// refuses them, so no job adopts one. Returns the ids. Index surplus_pkey.
    static func doom(_ ids: [ProviderID]) -> SQL {
        """
        update dialtone.surplus set doomed_at = coalesce(doomed_at, clock_timestamp())
        where provider_id = any(\(ids)) and user_id is null and deleted_at is null
          and not exists (select 1 from dialtone.credentials
                          where credentials.provider_id = surplus.provider_id offset 0)
        returning provider_id
        """
    }

    /// A condition on row `surplus`: it may be deleted as far as an operator's word goes, and time.
    static let isDoomed: SQL = """
        surplus.user_id is null and surplus.doomed_at < clock_timestamp() - interval '120 seconds'
        """

    /// A condition on row `surplus`: no job may record it as its own.
    static let isRefused: SQL = "(surplus.user_id is not null or surplus.doomed_at is not null)"

    /// Takes the strays whose owners are to be searched for among all users, once a day each. Index surplus_strays,
    /// whole: it holds open strays alone.
    static func takeForWalk(limit: Int) -> SQL {
        """
        with due as materialized (
            select provider_id from dialtone.surplus
            where user_id is null and deleted_at is null and doomed_at is null
              and coalesce(walked_at < statement_timestamp() - interval '1 day', true)
            limit \(limit) for no key update skip locked)
        update dialtone.surplus set walked_at = clock_timestamp()
        where provider_id = any(array(select provider_id from due))
        returning provider_id, name, tag
        """
    }

    static func read(_ row: PostgresRow) throws -> Stray {
        var columns = row.columns
        return Stray(id: try columns.next(), name: try columns.next(), tag: try columns.next())
    }

    /// Reads the names of all open strays that a job may adopt. Index surplus_strays.
    static let names: SQL = """
        select name from dialtone.surplus where user_id is null and deleted_at is null and doomed_at is null
        """
}
