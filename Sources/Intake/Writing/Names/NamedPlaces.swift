// SPDX-License-Identifier: Apache-2.0
// The tenants in which words of tracked sources may meet their people.

import Model
import Postgres

enum NamedPlaces {
    /// Returns the tenants of each word, by its event.
    ///
    /// A table that is changed beside it may lead a word elsewhere by the time it is written. The name is left out then.
    static func read(_ words: [NewWord], in pool: PostgresPool) async throws -> [EventID: [TenantID]] {
        let rows = try await pool.withConnection { try await $0.query(Self.places(of: words), shielded: true) }
        var tenants: [EventID: [TenantID]] = [:]
        for row in rows {
            var columns = row.columns
            let event: EventID = try columns.next()
            tenants[event, default: []].append(try columns.next())
        }
        return tenants
    }

    /// A word of one organisation is told to that tenant alone. A word on the person is told to all tenants of which
    /// the person is a member. Indexes source_tenants_pkey and memberships_pkey.
    static func places(of words: [NewWord]) -> SQL {
        """
        with word as materialized (
            select * from unnest(
                \(words.map(\.id)), \(words.map(\.source)), \(words.map { $0.word.person.rawValue }),
                \(words.map(\.organization)), \(words.map { $0.word.tenant?.rawValue }))
            as t (event_id, source_id, person, organization, tenant))
        select event_id, tenant from word where tenant is not null
        union
        select word.event_id, mapped.tenant_id from word cross join lateral (
            select source_tenants.tenant_id from dialtone.source_tenants
            where source_tenants.source_id = word.source_id and source_tenants.external_tenant = word.organization
              and source_tenants.tenant_id is not null offset 0) mapped
        union
        select word.event_id, bound.tenant_id from word cross join lateral (
            select memberships.tenant_id from dialtone.memberships
            where word.organization is null and memberships.source_id = word.source_id
              and memberships.external_user = word.person and memberships.state = 'live'
              and memberships.tenant_id is not null offset 0) bound
        """
    }
}
