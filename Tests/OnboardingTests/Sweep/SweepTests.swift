// SPDX-License-Identifier: Apache-2.0
// A sweep does no harm when the provider deviates from its documentation.

import Foundation
import Model
import Postgres
import ProviderLimits
import Synchronization
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SweepTests {
    /// Every tag shows the whole account. The sweep must not look for ever further shards, delete anything, or touch
    /// another tenant's credentials. `w` of beta has just been made and is not in the ledger yet.
    @Test func `a sweep changes nothing when the provider ignores the tag filter`() async throws {
        try await TestDatabase.with { database in
            let names = CredentialName(installation: UUID())
            try await database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1'), ('beta', '2');
                insert into dialtone.tenant_tags (tenant_id, shard, tag, held)
                values ('acme', 1, 'acme', 1), ('beta', 1, 'beta', 2);
                insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                values ('acme', 'u', 'live', 1, 'ready', now()), ('beta', 'v', 'live', 1, 'ready', now()),
                       ('beta', 'w', 'live', 1, 'pending', now());
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                values (gen_random_uuid(), 'beta', 'w', 1, 1, now(), now(), 'armed', 1, gen_random_uuid(),
                        now() + interval '1 hour', 'beta');
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index, created_at)
                select t, u, 1, 'p-' || u, 'n', t, 'active', '', '', decode(repeat('00', 16), 'hex'),
                       now() - interval '1 hour' from (values ('acme', 'u'), ('beta', 'v')) as c (t, u)
                """)
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            let users = try [("acme", "u"), ("beta", "v"), ("beta", "w")].map {
                UserKey(tenant: try TenantID($0.0), user: try UserID($0.1))
            }
            let all = users.map {
                TelephonyCredential(
                    id: ProviderID(rawValue: "p-\($0.user)"), name: names.name(for: $0, generation: 1),
                    sipUsername: nil, sipPassword: nil)
            }
            let deleted = Mutex<[ProviderID]>([])
            let provider = ScriptedProvider {
                $0.list = { _ in all }
                $0.there = Set(all.map(\.id))
                $0.delete = { id in
                    deleted.withLock { $0.append(id) }
                    return nil
                }
            }
            for options in [Self.options(), Self.options { $0.tenant = users[0].tenant }] {
                var options = options
                options.deletesStrays = options.tenant != nil
                let report = try await Sweep(
                    pool: database.pool, api: provider, limits: ProviderLimits(pool: database.pool),
                    installation: names.id, lease: .seconds(30), landingTime: .seconds(40), options: options
                ).runToTheEnd()
                #expect(report.tags == (options.tenant == nil ? 6 : 3) && report.surplus == 0 && report.foreign == 0)
                #expect(report.missing == 0 && report.reopened == 0 && report.straysDeleted == 0)
            }
            let hasDeleted = deleted.withLock { !$0.isEmpty }
            #expect(!hasDeleted, "what is on its way is nobody's stray")
            let shards = try await database.admin.query(
                "select string_agg(tenant_id || held, ' ' order by tenant_id) from dialtone.tenant_tags"
            ).first?.decode(String.self)
            #expect(shards == "acme2 beta2", "what another tenant holds takes no slot")
            let tags = try await database.admin.query(
                "select string_agg(tag, ' ' order by tag) from dialtone.credentials"
            )
            .first?.decode(String.self)
            #expect(tags == "acme beta")
        }
    }

    private static func options(_ change: (inout SweepOptions) -> Void = { _ in }) -> SweepOptions {
        var options = SweepOptions()
        options.isThorough = false
        change(&options)
        return options
    }
}
