// SPDX-License-Identifier: Apache-2.0
// A source that is disabled rests, and one that is deleted goes with its secrets and its table.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct SourceStopTests {
    @Test func `disable and enable say whether they have changed anything`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            _ = try await registry.create(slug: "s", tenant: acme, allowedTenants: [], preset: "standard")
            #expect(try await registry.enable(slug: "s", tenant: acme) == false)
            #expect(try await registry.disable(slug: "s", tenant: acme))
            #expect(try await registry.disable(slug: "s", tenant: acme) == false)
            let listed = try await registry.list(tenant: acme)
            #expect(listed.map(\.status) == ["disabled"] && listed.first?.stoppedAt != nil)
            #expect(try await registry.enable(slug: "s", tenant: acme))
            let active = try await registry.list(tenant: acme)
            #expect(active.map(\.status) == ["active"] && active.first?.stoppedAt == nil)
            await #expect(throws: SourceError.ownedElsewhere("s", by: [acme])) {
                try await registry.disable(slug: "s", tenant: nil)
            }
        }
    }

    @Test func `an organisation is not mapped beside a deletion of its source`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            // A transaction that deletes the source, as `delete` does, and has not committed.
            try await bed.database.admin.script("begin; update dialtone.sources set status = 'deleted'")
            let mapped = Task {
                try await bed.registry.map("late", to: TenantID("acme"), slug: "s", tenant: nil)
            }
            try await bed.database.untilSomebodyWaitsForALock()
            try await bed.database.admin.script("delete from dialtone.source_tenants; commit")
            await #expect(throws: SourceError.unknownSource("s")) { try await mapped.value }
            #expect(try await bed.rows("select external_tenant from dialtone.source_tenants").isEmpty)
        }
    }

    @Test func `secrets that are over are not counted among what would go`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            _ = try await registry.create(slug: "s", tenant: acme, allowedTenants: [], preset: "standard")
            for overlap in [Duration.zero, .seconds(3600)] {
                _ = try await registry.rotate(slug: "s", tenant: acme, overlap: overlap)
            }
            #expect(try await registry.belongings(slug: "s", tenant: acme).secrets == 2)
        }
    }

    @Test func `a deleted source loses its hook, its secrets and its table, and its name is free`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            let held = MappedIntakeTests.event(2, "v", org: "other")
            _ = try await bed.send("{\"events\":[\(MappedIntakeTests.event(1, "u")),\(held)]}")
            let belongings = try await bed.registry.belongings(slug: "s", tenant: nil)
            #expect(belongings.people == 2 && belongings.memberships == 2 && belongings.quarantined == 1)
            #expect(belongings.organizations == 1 && belongings.secrets == 1)
            try await bed.registry.delete(slug: "s", tenant: nil)
            await #expect(throws: IntakeError.unknownHook) {
                try await bed.send("{\"events\":[]}", at: MappedIntakeTests.noon + 6)
            }
            let left = try await bed.rows(
                """
                select concat_ws(' ', (select count(*) from dialtone.source_secrets),
                                 (select count(*) from dialtone.source_tenants), (select count(*) from dialtone.events),
                                 (select string_agg(user_id || ' ' || wanted, ',') from dialtone.users))
                """)
            #expect(left == ["0 0 2 u live"])
            #expect(try await bed.registry.list(tenant: nil).isEmpty)
            await #expect(throws: SourceError.unknownSource("s")) {
                try await bed.registry.delete(slug: "s", tenant: nil)
            }
            let second = try await bed.registry.create(
                slug: "s", tenant: nil, allowedTenants: [], configuration: Array(MappedIntakeTests.split.utf8))
            #expect(second.hookID != bed.source.hookID)
        }
    }

    @Test func `a list names each source's id, version and secrets, and shows no secret`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            let made = try await registry.create(slug: "s", tenant: acme, allowedTenants: [], preset: "svix")
            _ = try await registry.rotate(slug: "s", tenant: acme, overlap: .seconds(3600))
            let source = try #require(try await registry.list(tenant: acme).first)
            #expect(source.id == made.id && source.version == 1 && source.secrets.count == 2)
            #expect(source.secrets.map { $0.expiresAt == nil } == [true, false], "the newest comes first")
            #expect(source.secrets.allSatisfy { $0.madeBy == "dialtone" })
        }
    }
}
