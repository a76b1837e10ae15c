// SPDX-License-Identifier: Apache-2.0
// An organisation leaves the table beside statements that have read it there, and nobody is left bound to it.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing
import Vault

@testable import Intake

@Suite struct UnmappingTests {
    @Test func `a member who comes by a statement from before keeps the organisation mapped`() async throws {
        try await Self.with { registry, database in
            let holder = try await Self.holding([.joins("o1", 10)], database)
            let removal = Task { try await registry.unmap("o1", slug: "people-0", tenant: nil) }
            try await database.until("select 1 from dialtone.source_tenants where is_leaving")
            let meanwhile = Said.joins("o1", 20).with { $0.user = "v" }
            #expect(try await WordBed.say([meanwhile], database) == ["quarantined unmapped"])
            try await holder.script("commit")
            await holder.close()
            await #expect(throws: SourceError.hasMembers("o1")) { try await removal.value }
            #expect(try await WordBed.users(database) == ["acme u live"])
            let state = try await database.admin.query(
                "select is_leaving from dialtone.source_tenants where external_tenant = 'o1' and tenant_id = 'acme'"
            ).map { try $0.decode(Bool.self) }
            #expect(state.contains(false) && !state.contains(true), "it is in force again")
        }
    }

    @Test func `a statement from before that comes to nothing lets the organisation go`() async throws {
        try await Self.with { registry, database in
            let holder = try await Self.holding([.joins("o1", 10)], database)
            let removal = Task { try await registry.unmap("o1", slug: "people-0", tenant: nil) }
            try await database.until("select 1 from dialtone.source_tenants where is_leaving")
            try await holder.script("rollback")
            await holder.close()
            try await removal.value
            let left = try await database.admin.query(
                """
                select 1 from dialtone.source_tenants
                where source_id = \(WordBed.source) and external_tenant = 'o1'
                """)
            #expect(left.isEmpty)
            #expect(try await WordBed.say([.joins("o1", 20)], database) == ["quarantined unmapped"])
        }
    }

    /// The transaction has a higher number than the change that it does not see.
    @Test func `a transaction that begins beside the change is waited for too`() async throws {
        try await Self.with { registry, database in
            let change = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await change.script("begin")
            _ = try await change.query(
                """
                update dialtone.source_tenants set is_leaving = true, changed_xid = pg_current_xact_id()
                where source_id = \(WordBed.source) and external_tenant = 'o1'
                """)
            let holder = try await Self.holding([.joins("o1", 10)], database)
            try await change.script("commit")
            await change.close()
            await #expect(throws: SourceError.stillLeaving("o1")) {
                try await registry.unmap("o1", slug: "people-0", tenant: nil, patience: .milliseconds(200))
            }
            try await holder.script("commit")
            await holder.close()
            await #expect(throws: SourceError.hasMembers("o1")) {
                try await registry.unmap("o1", slug: "people-0", tenant: nil)
            }
        }
    }

    /// The second removal begins after a statement that has read the organisation as mapped.
    @Test func `a removal that was taken back does not end with what a second removal waits for`() async throws {
        try await Self.with { registry, database in
            let acme = try TenantID("acme")
            let before = try await Self.holding([.joins("o2", 10)], database)
            let first = Task { try await registry.unmap("o1", slug: "people-0", tenant: nil) }
            try await database.until("select 1 from dialtone.source_tenants where is_leaving")
            try await registry.map("o1", to: acme, slug: "people-0", tenant: nil)
            let between = try await Self.holding([Said.joins("o1", 20).with { $0.user = "v" }], database)
            let second = Task { try await registry.unmap("o1", slug: "people-0", tenant: nil) }
            try await database.until("select 1 from dialtone.source_tenants where is_leaving")
            try await before.script("commit")
            await before.close()
            await #expect(throws: SourceError.mappedAgain("o1")) { try await first.value }
            try await between.script("commit")
            await between.close()
            await #expect(throws: SourceError.hasMembers("o1")) { try await second.value }
            #expect(try await WordBed.users(database).contains("acme v live"))
        }
    }

    @Test func `a removal that was interrupted is ended by the next one, or taken back by mapping again`() async throws
    {
        try await Self.with { registry, database in
            let leaves: SQL = """
                update dialtone.source_tenants set is_leaving = true
                where source_id = \(WordBed.source) and external_tenant in ('o1', 'o2')
                """
            _ = try await database.admin.query(leaves)
            let listed = try await registry.map(slug: "people-0", tenant: nil)
            #expect(listed.map(\.state) == [.ignored, .leaving, .leaving, .mapped])
            try await registry.unmap("o1", slug: "people-0", tenant: nil)
            let acme = try TenantID("acme")
            let addition = try await registry.map("o2", to: acme, slug: "people-0", tenant: nil)
            #expect(addition == .restored)
            #expect(try await WordBed.say([.joins("o2", 20)], database) == ["accepted"])
        }
    }

    @Test func `a membership that a deletion has voided keeps no organisation mapped`() async throws {
        try await Self.with { registry, database in
            _ = try await WordBed.say([.joins("o1", 10)], database)
            await #expect(throws: SourceError.hasMembers("o1")) {
                try await registry.unmap("o1", slug: "people-0", tenant: nil)
            }
            _ = try await WordBed.say([.deleted(20)], database)
            try await registry.unmap("o1", slug: "people-0", tenant: nil)
        }
    }

    @Test func `organisations that are not mapped are listed with who and what names them`() async throws {
        try await Self.with { registry, database in
            _ = try await WordBed.say([.joins("o1", 10)], database)
            let joins = Said.joins("o9", 10)
            let word = try joins.word()
            _ = try await WordBed.commit([word], database)
            try await database.insert(
                """
                insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, body_sha256)
                values (\(word.id), \(WordBed.source), 1, 1, 'unmapped', '-', sha256('x'))
                """)
            let listed = try await registry.map(slug: "people-0", tenant: nil)
            #expect(listed.map(\.organization) == ["none", "o1", "o2", "o3", "o9"])
            let unmapped = try #require(listed.last)
            #expect(unmapped.state == .unmapped && unmapped.members == 1 && unmapped.unbound == 1)
            #expect(unmapped.quarantined == 1)
            #expect(listed.first { $0.organization == "o1" }?.members == 1)
        }
    }

    // MARK: Two connections

    /// Lends a registry with the sources of `WordBed`.
    private static func with(_ work: (SourceRegistry, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            let vault = Vault(keys: TenantKeys(pool: database.pool, kek: kek))
            try await work(SourceRegistry(pool: database.pool, vault: vault), database)
        }
    }

    /// Runs the statements of a batch, and holds their transaction open.
    private static func holding(_ said: [Said], _ database: TestDatabase) async throws -> PostgresConnection {
        let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
        try await holder.script("begin")
        var clock = FairClock()
        for statement in TrackedStatement.batch(of: try said.map { try $0.word() }, &clock).statements {
            _ = try await holder.query(statement)
        }
        return holder
    }
}
