// SPDX-License-Identifier: Apache-2.0
// Names that sources of users tell: sealed, found by the exact address, and gone with an erasure.

import Directory
import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct PlainNameTests {
    @Test func `a name is sealed, and its address leads to the user in any capitals`() async throws {
        try await NamesBed.with { bed in
            let outcomes = try await bed.write(
                NewEvent.of("u-1", .live, "d1").called("Ada Ōta", "Ada@Example.com"),
                NewEvent.of("u-2", .live, "d2").called("Mira", nil), NewEvent.of("u-3", .live, "d3"))
            #expect(outcomes == [.accepted, .accepted, .accepted])
            #expect(try await bed.names() == ["u-1: Ada Ōta, Ada@Example.com", "u-2: Mira, -"])
            for email in ["ada@example.com", "ADA@EXAMPLE.COM", "Ada@Example.com"] {
                #expect(try await bed.users(with: email) == ["u-1"])
            }
            #expect(try await bed.users(with: "da@example.com") == [])
            let clear = try await bed.database.admin.query(
                """
                select 1 from dialtone.person_names
                where position('example' in lower(encode(sealed, 'escape'))) > 0 or octet_length(email_index) <> 16
                """)
            #expect(clear.isEmpty)
        }
    }

    @Test func `one address has another index in each tenant, and leads to that tenant's user alone`() async throws {
        try await NamesBed.with { bed in
            let globex = try TenantID("globex")
            try await bed.write(
                NewEvent.of("a", .live, "d1").called("Ada", "ada@example.com"),
                NewEvent.of("g", .live, "d2", tenant: globex).called("Ada", "ada@example.com"))
            #expect(try await bed.users(with: "ada@example.com") == ["a"])
            #expect(try await bed.users(with: "ada@example.com", in: globex) == ["g"])
            let indexes = try await bed.database.admin.query("select distinct email_index from dialtone.person_names")
            #expect(indexes.count == 2)
        }
    }

    @Test func `a batch without a name has no statement for names`() async throws {
        var clock = FairClock()
        let plain = EventInsert.statements(for: [try .of("u", .live, "d")], &clock)
        #expect(plain.count == 1)
        #expect(NameStatement.write([try NewEvent.of("u", .live, "d").called("Ada", nil)]) == nil, "nothing is sealed")
        #expect(try TrackedStatement.batch(of: [Said.joins("o1", 1).word()], &clock).statements.count == 2)
    }

    @Test func `a newer word takes the name's place, and an older arrival changes nothing`() async throws {
        try await NamesBed.with { bed in
            try await bed.write(NewEvent.of("u", .live, "d1").called("Ada", "ada@example.com", arrived: 5))
            try await bed.write(NewEvent.of("u", .live, "d2").called("Old", "old@example.com", arrived: 4))
            #expect(try await bed.names() == ["u: Ada, ada@example.com"])
            let known = try await bed.write(NewEvent.of("u", .live, "d3").called("Ada B", "b@example.com", arrived: 6))
            #expect(known == [.duplicate])
            #expect(try await bed.names() == ["u: Ada B, b@example.com"])
            try await bed.write(NewEvent.of("u", .live, "d4").called("A", nil, arrived: 7))
            #expect(try await bed.names() == ["u: Ada B, b@example.com"], "a word without an address leaves one alone")
            #expect(try await bed.users(with: "ada@example.com") == [])
        }
    }

    @Test func `what does not count tells no name`() async throws {
        try await NamesBed.with { bed in
            try await bed.write(NewEvent.of("u", .live, "d1", at: 1))
            try await bed.write(NewEvent.of("u", .gone, "d2", at: 9))
            let late = try await bed.write(NewEvent.of("u", .live, "d3", at: 5).called("Late", "late@example.com"))
            #expect(late == [.superseded])
            let repeated = try await bed.write(NewEvent.of("u", .live, "d1", at: 1).called("Twice", nil))
            #expect(repeated == [.duplicate], "the ledger has the delivery")
            let other = try await bed.write(NewEvent.of("v", .live, "d1").called("Other", nil))
            #expect(other == [nil], "another event under a known id is refused")
            #expect(try await bed.names() == [])
        }
    }

    @Test func `a name stays with a user who is gone, and goes when the user is erased`() async throws {
        try await NamesBed.with { bed in
            let globex = try TenantID("globex")
            try await bed.write(
                NewEvent.of("u", .live, "d1", at: 1).called("Ada", "ada@example.com"),
                NewEvent.of("u", .live, "d2", at: 1, tenant: globex).called("Ada", "ada@example.com"))
            try await bed.write(NewEvent.of("u", .gone, "d3", at: 2))
            #expect(try await bed.names() == ["u: Ada, ada@example.com"])
            try await bed.database.admin.script(
                "update dialtone.users set status = 'revoked' where wanted = 'gone'; delete from dialtone.jobs")
            let user = UserKey(tenant: testTenant, user: try UserID("u"))
            _ = try await UserErasure(pool: bed.database.pool, settle: .zero).erase(user)
            #expect(try await bed.names() == [])
            #expect(try await bed.names(in: globex).count == 1, "another tenant's user is another one")
            try await bed.write(NewEvent.of("u", .live, "d4", at: 3).called("Ada again", nil))
            #expect(try await bed.names() == ["u: Ada again, -"])
        }
    }

    @Test func `a sign-up counts, without its name, while the vault has no key`() async throws {
        try await NamesBed.with(hasKeys: false) { bed in
            try await bed.database.admin.script("alter table dialtone.tenant_keys add check (false) not valid")
            let outcomes = try await bed.write(NewEvent.of("u", .live, "d1").called("Ada", nil))
            #expect(outcomes == [.accepted])
            #expect(try await bed.names() == [])
        }
    }
}
