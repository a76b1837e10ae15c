// SPDX-License-Identifier: Apache-2.0
// A credential tells when it got its first and its last token; to write that never holds a token up.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Handoff

@Suite struct TokenTimesTests {
    private static func times(_ database: TestDatabase) async throws -> String? {
        try await database.admin.query(
            """
            select concat_ws(' ', first_token_at is not null, last_token_at is not null, first_token_at < last_token_at)
            from dialtone.credentials
            """
        ).first?.decode(String.self)
    }

    @Test func `a mint writes the time, and a token from memory writes none`() async throws {
        try await HandoffBed.withUser { handoff, provider, database in
            #expect(try await Self.times(database) == "f f")
            _ = try await handoff.token(at: HandoffBed.noon)
            await handoff.times.settle()
            #expect(try await Self.times(database) == "t t f")
            _ = try await handoff.token(at: HandoffBed.noon)
            await handoff.times.settle()
            #expect(try await Self.times(database) == "t t f", "it came from memory")
            _ = try await handoff.token(at: HandoffBed.noon + 13 * 3600)
            await handoff.times.settle()
            #expect(try await Self.times(database) == "t t t" && provider.calls == 2)
        }
    }

    @Test func `a time that cannot be written costs no token`() async throws {
        try await HandoffBed.withUser { handoff, _, database in
            try await database.admin.script("alter table dialtone.credentials rename column last_token_at to away")
            #expect(try await handoff.token(at: HandoffBed.noon).loginToken.reveal() == "token-1")
            await handoff.times.settle()
            try await database.admin.script("alter table dialtone.credentials rename column away to last_token_at")
            #expect(try await Self.times(database) == "f f", "it is forgotten")
            _ = try await handoff.token(at: HandoffBed.noon + 13 * 3600)
            await handoff.times.settle()
            #expect(try await Self.times(database) == "t t f")
        }
    }

    @Test func `a locked credential holds up neither the token nor the write`() async throws {
        try await HandoffBed.withUser { handoff, _, database in
            try await database.admin.script("begin; select 1 from dialtone.credentials for update")
            _ = try await handoff.token(at: HandoffBed.noon)
            await handoff.times.settle()
            try await database.admin.script("commit")
            #expect(try await Self.times(database) == "f f")
        }
    }

    @Test func `the write enters by id, and no index names what it changes`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                let statement = TokenTimes.statement([ProviderID(rawValue: "p")])
                let plan = try await QueryPlan.generic(of: statement, on: connection)
                #expect(plan.walkedTables.isEmpty, "\(plan)")
            }
            let named = try await database.admin.query(
                "select 1 from pg_indexes where tablename = 'credentials' and indexdef like '%token_at%'")
            #expect(named.isEmpty, "the update is HOT")
        }
    }
}
