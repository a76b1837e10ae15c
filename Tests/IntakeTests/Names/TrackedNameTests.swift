// SPDX-License-Identifier: Apache-2.0
// Names that sources of people tell: each tenant keeps its own copy, under its own keys.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct TrackedNameTests {
    private static let globex = TenantID(rawValue: "globex") ?? testTenant

    @Test func `a membership tells the name to its own tenant`() async throws {
        try await NamesBed.with { bed in
            let outcomes = try await bed.say(
                Said.joins("o1", 1).word().called("Ada", "ada@example.com"),
                Said.joins("o3", 1).with { $0.user = "v" }.word().called("Vera", "vera@example.com"))
            #expect(outcomes == [.accepted, .accepted])
            #expect(try await bed.names() == ["u: Ada, ada@example.com"])
            #expect(try await bed.names(in: Self.globex) == ["v: Vera, vera@example.com"])
            #expect(try await bed.users(with: "ADA@example.com") == ["u"])
        }
    }

    @Test func `an update of the person tells it to all tenants that have the person`() async throws {
        try await NamesBed.with { bed in
            try await bed.say(Said.joins("o1", 1).word())
            try await bed.say(Said.joins("o3", 1).word())
            #expect(try await bed.names() == [])
            try await bed.say(Said.exists(2).weak.word().called("Ada", "ada@example.com"))
            #expect(try await bed.names() == ["u: Ada, ada@example.com"])
            #expect(try await bed.names(in: Self.globex) == ["u: Ada, ada@example.com"])
        }
    }

    @Test func `who waits, and what is not mapped or ignored, has no name`() async throws {
        try await NamesBed.with { bed in
            let outcomes = try await bed.say(
                Said.exists(1).word().called("Waits", nil),
                Said.joins("new", 1).with { $0.user = "v" }.word().called("Unmapped", nil),
                Said.joins("none", 1).with { $0.user = "w" }.word().called("Ignored", nil))
            #expect(outcomes == [.accepted, .quarantined, .ignored])
            #expect(try await bed.database.admin.query("select 1 from dialtone.person_names").isEmpty)
        }
    }

    @Test func `two words of one transaction on one person leave the one with an address`() async throws {
        try await NamesBed.with { bed in
            let delivery = "d"
            let first = try Said.joins("o1", 1).with { $0.delivery = delivery }.word()
            let second = try Said.joins("o2", 2).with { $0.delivery = delivery }.word(item: 1, first: first.id)
            try await bed.say(first.called("Ada", "ada@example.com"), second.called("A.", nil))
            #expect(try await bed.names() == ["u: Ada, ada@example.com"])
        }
    }

    @Test func `statements for names, planned on empty analysed tables, walk no table`() async throws {
        try await NamesBed.with { bed in
            try await bed.database.admin.script("vacuum analyze")
            let word = try Said.joins("o1", 1).word().called("Ada", "ada@example.com")
            let sealed = try await NameSealing(vault: bed.vault).seal([word], in: bed.database.pool)
            let statements = [NamedPlaces.places(of: sealed), try #require(NameStatement.write(sealed))]
            try await bed.database.pool.withConnection { connection in
                for statement in statements {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.isEmpty, "\(plan)")
                }
            }
        }
    }
}
