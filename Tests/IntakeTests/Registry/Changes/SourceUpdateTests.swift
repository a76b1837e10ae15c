// SPDX-License-Identifier: Apache-2.0
// An update is a new version of a source, or is refused with the reason; what the ledger has stays.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct SourceUpdateTests {
    private static let custom = MappedIntakeTests.split

    @Test func `a new mapping is a new version, which the next delivery is read by`() async throws {
        try await MappedIntakeTests.with(Self.custom) { bed in
            let other = Self.custom.replacing(#""user_id":"/user""#, with: #""user_id":"/person""#)
            let updated = try await bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(other.utf8), allowedTenants: nil)
            #expect(updated.isChanged && updated.version == 2 && updated.hookID == bed.source.hookID)
            let event = MappedIntakeTests.event(1, "u").replacing(#""user""#, with: #""person""#)
            #expect(try await bed.send("{\"events\":[\(event)]}").status == .accepted)
            #expect(try await bed.rows("select user_id || ' ' || config_version from dialtone.events") == ["u 2"])
            let changed = try await bed.rows("select ids_changed::text from dialtone.sources")
            #expect(changed == ["false"], "its proofs are of the same kind")
            let again = try await bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(other.utf8), allowedTenants: nil)
            #expect(!again.isChanged && again.version == 2)
        }
    }

    @Test func `what a mapping reads more or less of a delivery that came before changes nothing of it`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.each) { bed in
            let body = #"{"id":"d","type":"joined","org":"o","users":["a"],"more":["a","b"]}"#
            let first = try await bed.send(body)
            let more = MappedIntakeTests.each.replacing(#""/users""#, with: #""/more""#)
            _ = try await bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(more.utf8), allowedTenants: nil)
            // The node reads the source again after five seconds.
            let grown = try await bed.send(body, at: MappedIntakeTests.noon + 6)
            #expect(grown.answer?.status == 202 && grown.items.allSatisfy { $0.status != .accepted })
            #expect(try await bed.rows("select user_id from dialtone.users") == ["a"])
            _ = try await bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(MappedIntakeTests.each.utf8), allowedTenants: nil)
            let back = try await bed.send(body, at: MappedIntakeTests.noon + 12)
            #expect(back.items.map(\.eventID) == first.items.map(\.eventID) && back.status == .duplicate)
        }
    }

    @Test func `a mapping that cannot be read is refused with its place, and the source stays as it was`() async throws
    {
        try await MappedIntakeTests.with(Self.custom) { bed in
            let wrong = Self.custom.replacing(#""user_id""#, with: #""user_idd""#)
            let error = await #expect(throws: InvalidValue.self) {
                try await bed.registry.update(
                    slug: "s", tenant: nil, configuration: Array(wrong.utf8), allowedTenants: nil)
            }
            #expect(error?.field == "/user_idd")
            let versions = try await bed.registry.list(tenant: nil).map(\.version)
            #expect(versions == [1])
        }
    }

    @Test func `proofs that the source's secrets do not fit are refused`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            let bearer = #"{"grammar":1,"proofs":[{"kind":"bearer"}]}"#
            let standard = #"{"grammar":1,"proofs":[{"kind":"standard-webhooks"}]}"#
            _ = try await registry.create(
                slug: "k", tenant: acme, allowedTenants: [], preset: "keycloak",
                secret: Array("a secret of the sender".utf8))
            await #expect(throws: SourceError.self) {
                try await registry.update(
                    slug: "k", tenant: acme, configuration: Array(standard.utf8), allowedTenants: nil)
            }
            let updated = try await registry.update(
                slug: "k", tenant: acme, configuration: Array(bearer.utf8), allowedTenants: nil)
            #expect(updated.isChanged, "the text serves as a bearer's too")
            let error = await #expect(throws: SourceError.self) {
                try await registry.update(
                    slug: "k", tenant: acme, configuration: Array(standard.utf8), allowedTenants: nil)
            }
            #expect(error?.description.contains("secret must be whsec_") == true)
        }
    }

    @Test func `proofs that need a secret are refused where the source has none`() async throws {
        let published = """
            {"grammar":1,"proofs":[{"kind":"jwt","header":"authorization","scheme":"Bearer","algorithms":["RS256"],
             "jwks":"https://keys.example.com/jwks","issuer":"https://id.example.com","body_hash":{"claim":"h","encoding":"hex"}}]}
            """
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            _ = try await registry.create(
                slug: "p", tenant: acme, allowedTenants: [], preset: "svix", configuration: Array(published.utf8))
            let error = await #expect(throws: SourceError.self) {
                try await registry.update(
                    slug: "p", tenant: acme, configuration: Array(#"{"grammar":1}"#.utf8), allowedTenants: nil)
            }
            #expect(error?.description.contains("has none in force") == true)
        }
    }

    @Test func `the tenants that a source may name are changed, and must be there`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
            _ = try await registry.create(slug: "a", tenant: nil, allowedTenants: [acme], preset: "standard")
            await #expect(throws: SourceError.unknownTenant(globex)) {
                try await registry.update(
                    slug: "a", tenant: nil, configuration: nil, allowedTenants: [acme, globex])
            }
            try await database.insert(Ledger.tenant(globex, connection: "2"))
            _ = try await registry.update(slug: "a", tenant: nil, configuration: nil, allowedTenants: [globex, acme])
            let allowed = try await registry.list(tenant: nil).map { Set($0.allowed) }
            #expect(allowed == [[acme, globex]])
            _ = try await registry.create(slug: "o", tenant: acme, allowedTenants: [], preset: "standard")
            await #expect(throws: InvalidValue.self) {
                try await registry.update(slug: "o", tenant: acme, configuration: nil, allowedTenants: [globex])
            }
            await #expect(throws: InvalidValue.self) {
                try await registry.update(
                    slug: "o", tenant: acme, configuration: Array(#"{"grammar":1,"tenant":{"fixed":"globex"}}"#.utf8),
                    allowedTenants: nil)
            }
        }
    }

    /// Plain, and tracked by a table.
    @Test func `a source changes its kind while it rests and has told nothing, and not otherwise`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            let table = Array(#"{"grammar":1,"tenant":"table"}"#.utf8)
            let source = try await registry.create(slug: "c", tenant: acme, allowedTenants: [], preset: "clerk")
            let update = {
                try await registry.update(slug: "c", tenant: acme, configuration: table, allowedTenants: nil)
            }
            await #expect(throws: SourceError.mustRest("c")) { try await update() }
            _ = try await registry.disable(slug: "c", tenant: acme)
            await #expect(throws: SourceError.mustRest("c")) { try await update() }
            try await database.admin.script("update dialtone.sources set stopped_at = now() - interval '3 minutes'")
            try await database.insert(
                "insert into dialtone.people (source_id, external_user) values (\(source.id), 'u')")
            await #expect(throws: SourceError.keepsKind("c")) { try await update() }
            try await database.admin.script("delete from dialtone.people")
            #expect(try await update().isChanged)
            let kinds = try await registry.list(tenant: acme).map(\.isTracked)
            #expect(kinds == [true])
        }
    }

    @Test func `an update refuses a source that somebody rotates beside it`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            let source = try await registry.create(slug: "s", tenant: acme, allowedTenants: [], preset: "svix")
            await #expect(throws: SourceError.changedMeanwhile("s")) {
                try await SecretChangeTests.besideRotation(of: source, database) {
                    _ = try await registry.update(
                        slug: "s", tenant: acme, configuration: Array(#"{"grammar":1,"options":[]}"#.utf8),
                        allowedTenants: nil)
                }
            }
        }
    }
}
