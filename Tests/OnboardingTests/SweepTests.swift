// SPDX-License-Identifier: Apache-2.0
// A sweep of a provider that does not do as its pages say.

import Foundation
import Model
import Postgres
import ProviderLimits
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SweepTests {
    /// Every tag shows the whole account: no reason to look for ever further shards, nor to take anything away.
    @Test func aProviderThatIgnoresTheTagHasNoEndlessShards() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1'), ('beta', '2');
                insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('acme', 1, 'acme'), ('beta', 1, 'beta')
                """)
            let all = (1...3).map {
                TelephonyCredential(id: ProviderID(rawValue: "p-\($0)"), name: "n", sipUsername: nil, sipPassword: nil)
            }
            let provider = ScriptedProvider { $0.list = { _ in all } }
            var options = SweepOptions()
            options.isThorough = false
            let report = try await Sweep(
                pool: database.pool, api: provider, limits: ProviderLimits(pool: database.pool), installation: UUID(),
                lease: .seconds(30), settle: .seconds(40), options: options
            ).runToTheEnd()
            #expect(report.tags == 6 && report.surplus == 0 && report.foreign == 6)
            #expect(try await database.admin.query("select 1 from dialtone.tenant_tags").count == 2)
        }
    }
}
