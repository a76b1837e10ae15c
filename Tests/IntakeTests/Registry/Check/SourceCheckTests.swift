// SPDX-License-Identifier: Apache-2.0
// A check says what a delivery would come to, by the writers' own rules, and leaves every table as it was.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct SourceCheckTests {
    private static func body(_ event: String) -> [UInt8] { Array("{\"events\":[\(event)]}".utf8) }

    private static func check(
        _ event: String, _ bed: MappedIntakeTests.Bed, isProven: Bool = true
    ) async throws -> SourceCheck {
        let secret = try #require(bed.source.secret).reveal()
        return try await bed.registry.check(
            Self.body(event), headers: isProven ? [("Authorization", "Bearer \(secret)")] : [], slug: "s", tenant: nil,
            now: MappedIntakeTests.noon)
    }

    /// All rows there are, of all tables.
    private static func ledger(_ bed: MappedIntakeTests.Bed) async throws -> [String] {
        var rows: [String] = []
        for table in ["events", "users", "people", "memberships", "effects", "quarantine", "jobs", "job_log"] {
            rows += try await bed.rows("select line::text from dialtone.\(unsafeText: table) line")
        }
        return rows.sorted()
    }

    @Test func `a member of a mapped organisation would be stored, and nothing is`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            let check = try await Self.check(MappedIntakeTests.event(1, "u"), bed)
            #expect(check.refusal == nil && check.decision == .stored)
            #expect(check.items.map(\.text) == ["u in o: membership live: accepted in tenant acme"])
            #expect(check.changes.map { "\($0.user.tenant) \($0.user.user) \($0.wanted)" } == ["acme u live"])
            #expect(try await Self.ledger(bed).isEmpty)
        }
    }

    @Test func `an organisation that is not mapped would be quarantined, and one to ignore is ignored`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            let check = try await Self.check(MappedIntakeTests.event(1, "u", org: "new"), bed)
            #expect(check.decision == .quarantined && check.changes.isEmpty)
            #expect(check.items.first?.text.contains("is not mapped; see: dialtone source map add") == true)
            try await bed.registry.map("none", to: nil, slug: "s", tenant: nil)
            let ignored = try await Self.check(MappedIntakeTests.event(1, "u", org: "none"), bed)
            #expect(ignored.items.first?.text.contains("the table says to ignore") == true)
            #expect(ignored.decision == .ignored && ignored.changes.isEmpty, "nothing is stored")
        }
    }

    @Test func `a delivery in quarantine whose organisation is mapped by now would count when it is sent again`()
        async throws
    {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            let event = MappedIntakeTests.event(1, "u", org: "new")
            _ = try await bed.send("{\"events\":[\(event)]}")
            #expect(try await Self.check(event, bed).decision == .quarantined)
            try await bed.registry.map("new", to: TenantID("acme"), slug: "s", tenant: nil)
            let before = try await Self.ledger(bed)
            let check = try await Self.check(event, bed)
            #expect(check.decision == .stored && check.changes.count == 1, "\(check.items)")
            #expect(try await Self.ledger(bed) == before)
        }
    }

    @Test func `without a header the sender is not proven, and the rest is told all the same`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            let check = try await Self.check(MappedIntakeTests.event(1, "u"), bed, isProven: false)
            #expect(check.refusal != nil && check.decision == .refused && check.items.count == 1)
        }
    }

    @Test func `a source that is disabled can be checked`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            _ = try await bed.registry.disable(slug: "s", tenant: nil)
            let check = try await Self.check(MappedIntakeTests.event(1, "u"), bed)
            #expect(check.decision == .stored)
        }
    }

    @Test func `where only a secret that was made here is there, a check says what is missing`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            _ = try await registry.create(slug: "c", tenant: acme, allowedTenants: [], preset: "clerk")
            let warning = {
                try await registry.check([], headers: [], slug: "c", tenant: acme, now: MappedIntakeTests.noon).warning
            }
            #expect(try await warning()?.contains("dialtone source rotate c --tenant acme") == true)
            let own = Array("whsec_\(Data(repeating: 7, count: 32).base64EncodedString())".utf8)
            _ = try await registry.rotate(slug: "c", tenant: acme, overlap: .seconds(60), secret: own)
            #expect(try await warning() == nil)
        }
    }

    /// A writer holds the person, as it does for a moment. This one holds on.
    @Test func `a check gives way to a writer, and says so`() async throws {
        try await MappedIntakeTests.with(MappedIntakeTests.split) { bed in
            _ = try await bed.send("{\"events\":[\(MappedIntakeTests.event(1, "u"))]}")
            try await bed.database.admin.script("begin; select 1 from dialtone.people for update")
            await #expect(throws: SourceError.busy) { try await Self.check(MappedIntakeTests.event(2, "u"), bed) }
            try await bed.database.admin.script("rollback")
            #expect(try await Self.check(MappedIntakeTests.event(2, "u"), bed).decision == .stored)
        }
    }

    @Test func `the canonical event is tried too`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            _ = try await registry.create(slug: "app", tenant: acme, allowedTenants: [])
            let say = { (body: String) in
                try await registry.check(
                    Array(body.utf8), headers: [], slug: "app", tenant: acme, now: MappedIntakeTests.noon)
            }
            let known = try await say(#"{"type":"user.created","data":{"user_id":"u"}}"#)
            #expect(known.refusal != nil && known.decision == .refused)
            #expect(known.items.map(\.text) == ["provision u in acme: accepted"])
            #expect(known.changes.count == 1)
            let other = try await say(#"{"type":"user.created","data":{"user_id":"u","tenant_id":"globex"}}"#)
            #expect(other.items.first?.text.contains("names a tenant") == true)
            #expect(try await database.admin.query("select 1 from dialtone.events").isEmpty)
        }
    }
}
