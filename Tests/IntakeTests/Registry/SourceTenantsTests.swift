// SPDX-License-Identifier: Apache-2.0
// A source's configuration, the sender's secret and the table of its organisations, as an operator makes them.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct SourceTenantsTests {
    @Test func `an organisation is mapped, listed, and removed while nobody has come from it`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            let source = try await registry.create(slug: "c", tenant: nil, allowedTenants: [], preset: "clerk")
            try await registry.map("org_1", to: acme, slug: "c", tenant: nil)
            try await registry.map("org_2", to: nil, slug: "c", tenant: nil)
            let listed = try await registry.map(slug: "c", tenant: nil)
            #expect(listed.map(\.organization) == ["org_1", "org_2"] && listed.map(\.tenant) == [acme, nil])
            #expect(try await registry.map("org_1", to: acme, slug: "c", tenant: nil) == .known)
            #expect(try await registry.map("org_2", to: nil, slug: "c", tenant: nil) == .known)
            await #expect(throws: SourceError.alreadyMapped("org_1", to: acme)) {
                try await registry.map("org_1", to: nil, slug: "c", tenant: nil)
            }
            await #expect(throws: SourceError.alreadyMapped("org_2", to: nil)) {
                try await registry.map("org_2", to: acme, slug: "c", tenant: nil)
            }
            await #expect(throws: SourceError.unknownTenant(try TenantID("initech"))) {
                try await registry.map("org_3", to: TenantID("initech"), slug: "c", tenant: nil)
            }
            try await database.insert(
                """
                insert into dialtone.memberships (source_id, external_user, external_tenant, state, tenant_id)
                values (\(source.id), 'u', 'org_1', 'live', \(acme))
                """)
            await #expect(throws: SourceError.hasMembers("org_1")) {
                try await registry.unmap("org_1", slug: "c", tenant: nil)
            }
            try await registry.unmap("org_2", slug: "c", tenant: nil)
            await #expect(throws: SourceError.unknownOrganization("org_2")) {
                try await registry.unmap("org_2", slug: "c", tenant: nil)
            }
            let left = try await registry.map(slug: "c", tenant: nil)
            #expect(left.map(\.organization) == ["org_1"] && left.map(\.members) == [1])
        }
    }

    /// Such as the mark before the first name of a file, or a blank of no width that was copied with it.
    @Test(arguments: ["\u{FEFF}org_1", "org\u{200B}_1", "org_1\n"])
    func `an organisation with a character that cannot be seen is not mapped`(organization: String) async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            _ = try await registry.create(slug: "c", tenant: nil, allowedTenants: [], preset: "clerk")
            await #expect(throws: InvalidValue.self) {
                try await registry.map(organization, to: TenantID("acme"), slug: "c", tenant: nil)
            }
            #expect(try await registry.map(slug: "c", tenant: nil).isEmpty)
        }
    }

    @Test func `a source of one tenant maps to that one alone, and one without a table to none`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
            try await database.insert(Ledger.tenant(globex, connection: "2"))
            _ = try await registry.create(
                slug: "c", tenant: acme, allowedTenants: [], preset: "clerk",
                configuration: Array(#"{"grammar":1,"tenant":"table"}"#.utf8))
            await #expect(throws: SourceError.belongsTo(acme)) {
                try await registry.map("org_1", to: globex, slug: "c", tenant: acme)
            }
            try await registry.map("org_1", to: acme, slug: "c", tenant: acme)
            _ = try await registry.create(slug: "s", tenant: acme, allowedTenants: [], preset: "svix")
            await #expect(throws: SourceError.hasNoTable("s")) {
                try await registry.map("org_1", to: acme, slug: "s", tenant: acme)
            }
        }
    }

    @Test func `a sender's secret is brought in and not shown, and a short one is warned of`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let source = try await registry.create(
                slug: "k", tenant: TenantID("acme"), allowedTenants: [], preset: "keycloak",
                secret: Array("short\n".utf8))
            #expect(source.secret == nil && source.warning == SecretText.Warning.short.description)
            await #expect(throws: InvalidValue.self) {
                try await registry.create(
                    slug: "s", tenant: TenantID("acme"), allowedTenants: [], preset: "svix",
                    secret: Array("short".utf8))
            }
            let made = try await registry.create(
                slug: "s", tenant: TenantID("acme"), allowedTenants: [], preset: "svix")
            #expect(made.secret?.reveal().hasPrefix("whsec_") == true)
            #expect(made.warning?.contains("dialtone source rotate s --tenant acme") == true, "Svix makes its own")
            let rotated = try await registry.rotate(
                slug: "s", tenant: TenantID("acme"), overlap: .zero,
                secret: Array("v1,whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".utf8))
            #expect(rotated.secret == nil)
            let makers = try await database.admin.query(
                "select made_by from dialtone.source_secrets order by created_at"
            ).map { try $0.decode(String.self) }
            #expect(makers == ["sender", "dialtone", "sender"])
        }
    }

    @Test func `a preset that is not known is named with those that are`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            await #expect(throws: SourceError.unknownPreset("clrk")) {
                try await registry.create(slug: "c", tenant: nil, allowedTenants: [], preset: "clrk")
            }
            #expect(SourceError.unknownPreset("clrk").description.contains("clerk"))
            let custom = Array(
                #"""
                {"grammar":1,"tenant":"table","proofs":[{"kind":"bearer"}],"type":"/type","user_id":"/id",
                 "organization":"/org","rules":[{"on":"joined","membership":"live"}]}
                """#.utf8)
            _ = try await registry.create(slug: "x", tenant: nil, allowedTenants: [], configuration: custom)
            let listed = try await registry.list(tenant: nil)
            #expect(listed.map(\.preset) == ["custom"])
        }
    }
}
