// SPDX-License-Identifier: Apache-2.0
// The organisations of a source, as an operator sees them: mapped, ignored, or named by people and events alone.

package import Model
import Postgres

/// One organisation of a source.
package struct MappedOrganization: Sendable, Equatable {
    package enum State: String, Sendable {
        case mapped
        /// An operator has said to ignore it.
        case ignored
        /// An operator is taking it out.
        case leaving
        /// It is not in the table.
        case unmapped
    }

    /// The sender's own id of it.
    package let organization: String
    package let state: State
    /// Nil: none.
    package let tenant: TenantID?
    /// People who are members of it now, by what the sender has told.
    package let members: Int
    /// Those of them who came before it was mapped, and are bound to no tenant.
    package let unbound: Int
    /// Its events that wait in quarantine.
    package let quarantined: Int

    /// The memberships of a source that count, but for a suspension: live, told after the person's last deletion and not
    /// before the last whole list. Indexes memberships_pkey, by its first column, and people_pkey.
    static func members(of source: SourceID) -> SQL {
        """
        select memberships.external_tenant, memberships.tenant_id
        from dialtone.memberships left join lateral (
            select people.ended_at, people.listed_at from dialtone.people
            where people.source_id = memberships.source_id and people.external_user = memberships.external_user
            offset 0) person on true
        where memberships.source_id = \(source) and memberships.state = 'live'
          and coalesce(memberships.told_at > person.ended_at, true)
          and coalesce(memberships.told_at >= person.listed_at, true)
        """
    }
}

extension SourceRegistry {
    /// Returns the table, by the organisations' ids, and then those that members or events in quarantine name and that
    /// are not mapped. Indexes source_tenants_pkey, memberships_pkey, people_pkey, quarantine_open and events_pkey.
    package func map(slug: String, tenant: TenantID?) async throws -> [MappedOrganization] {
        let source = try await self.tracked(slug, tenant)
        return try await self.pool.query(
            """
            with mapped as materialized (
                select external_tenant, tenant_id,
                       case when is_leaving then 'leaving' when tenant_id is null then 'ignored'
                            else 'mapped' end as state
                from dialtone.source_tenants where source_id = \(source)),
            member as materialized (
                select external_tenant, count(*) as members, count(*) filter (where tenant_id is null) as unbound
                from (\(MappedOrganization.members(of: source))) one group by external_tenant),
            held as materialized (
                select event.external_tenant, count(*) as events
                from dialtone.quarantine cross join lateral (
                    select events.external_tenant from dialtone.events
                    where events.event_id = quarantine.event_id and events.external_tenant is not null offset 0) event
                where quarantine.source_id = \(source) and quarantine.settled_at is null
                group by event.external_tenant),
            name as (
                select external_tenant from mapped
                union select external_tenant from member where unbound > 0
                union select external_tenant from held)
            select name.external_tenant, coalesce(mapped.state, 'unmapped'), mapped.tenant_id,
                   coalesce(member.members, 0), coalesce(member.unbound, 0), coalesce(held.events, 0)
            from name left join mapped using (external_tenant) left join member using (external_tenant)
                 left join held using (external_tenant)
            order by mapped.state is null, name.external_tenant
            """
        ).map { row in
            var columns = row.columns
            return MappedOrganization(
                organization: try columns.next(), state: try columns.next(), tenant: try columns.next(),
                members: try columns.next(), unbound: try columns.next(), quarantined: try columns.next())
        }
    }
}
