// SPDX-License-Identifier: Apache-2.0
// Creates behind an open breaker wait aside, cost nothing, and come back when it closes.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SetAsideTests {
    @Test func `creates of a stopped tenant are set aside without a line in the log, and nobody else's`() async throws {
        try await Self.with { database, _ async throws in
            #expect(try await Self.setAside(["tenant:acme"], on: database) == 1)
            #expect(
                try await Self.states(database) == [
                    "leaver queued ", "other queued ", "starter scheduled tenant:acme",
                ])
            let logged = try await database.admin.query("select 1 from dialtone.job_log")
            #expect(logged.isEmpty)
            #expect(try await Self.setAside(["tenant:acme"], on: database) == 0, "once each")
        }
    }

    @Test func `a stopped connection sets the creates of all its tenants aside, and no delete`() async throws {
        try await Self.with { database, _ async throws in
            #expect(try await Self.setAside(["connection:1"], on: database) == 2)
            #expect(try await Self.states(database).contains("leaver queued "))
        }
    }

    @Test func `no time makes a waiting job due, and a word of its sender does`() async throws {
        try await Self.with { database, _ async throws in
            _ = try await Self.setAside(["tenant:acme"], on: database)
            _ = try await database.admin.query(Rescue.promote(limit: 500))
            #expect(try await Self.states(database).contains("starter scheduled tenant:acme"))
            try await database.insert(
                "update dialtone.jobs set run_at = clock_timestamp() where user_id = 'starter'")
            _ = try await database.admin.query(Rescue.promote(limit: 500))
            #expect(try await Self.states(database).contains("starter queued "))
        }
    }

    @Test func `waiting jobs are let go when their breaker is closed, and as many as a probe may send when it is due`()
        async throws
    {
        try await Self.with { database, _ async throws in
            _ = try await Self.setAside(["connection:1"], on: database)
            try await database.insert(
                """
                insert into dialtone.provider_limits (scope, breaker, probe_until, allowance)
                values ('connection:1', 'open', clock_timestamp() + interval '1 hour', 1)
                """)
            #expect(try await database.admin.query(LetGo.statement(limit: 500)).isEmpty, "it is stopped")
            try await database.insert("update dialtone.provider_limits set probe_until = clock_timestamp()")
            #expect(try await database.admin.query(LetGo.statement(limit: 500)).count == 1, "one probe")
            try await database.insert("update dialtone.provider_limits set breaker = 'closed'")
            #expect(try await database.admin.query(LetGo.statement(limit: 500)).count == 1, "the rest")
            #expect(try await database.admin.query(LetGo.statement(limit: 500)).isEmpty)
        }
    }

    /// The first of the scope was made to look, and stays in the table. It must not take the probe's room.
    @Test func `a job that waits no more lets the others go`() async throws {
        try await Self.with { database, users in
            _ = try await Self.setAside(["connection:1"], on: database)
            try await database.insert(
                """
                insert into dialtone.provider_limits (scope, breaker, probe_until, allowance)
                values ('connection:1', 'open', clock_timestamp(), 1)
                """,
                """
                update dialtone.jobs set id = '00000000-0000-0000-0000-000000000001', state = 'in_doubt',
                    run_at = clock_timestamp()
                where user_id = 'starter'
                """)
            #expect(try await database.admin.query(LetGo.statement(limit: 500)).count == 1)
            #expect(try await Self.states(database).contains("other queued "))
        }
    }

    @Test func `a visit that makes a job look ends its waiting`() async throws {
        try await Self.with { database, users in
            _ = try await Self.setAside(["tenant:acme"], on: database)
            let found = FoundCredential(
                id: ProviderID(rawValue: "p"), owner: OwnedName(user: users[0], generation: 1), tag: "acme")
            for statement in SweepCorrections.makeLook(found) { _ = try await database.admin.query(statement) }
            #expect(try await Self.states(database).contains("starter in_doubt "))
        }
    }

    // MARK: Test bed

    /// A user of acme who signs up, one of globex, and one of acme who leaves. Both tenants share a connection.
    private static func with(_ work: (TestDatabase, [UserKey]) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let globex = try TenantID("globex")
            let users = [
                UserKey(tenant: testTenant, user: try UserID("starter")),
                UserKey(tenant: globex, user: try UserID("other")),
                UserKey(tenant: testTenant, user: try UserID("leaver")),
            ]
            try await database.insert(Ledger.tenant(), Ledger.tenant(globex))
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            for user in users {
                try await database.insert(
                    Ledger.user(user, wanted: user.user.rawValue == "leaver" ? .gone : .live), Ledger.job(of: user))
            }
            try await work(database, users)
        }
    }

    private static func setAside(_ scopes: [String], on database: TestDatabase) async throws -> Int {
        let row = try await database.admin.query("select era from dialtone.incarnation").first
        let era = try #require(try row?.decode(Int64.self))
        return try await database.admin.query(
            SetAside.statement(from: .beginning, stopped: scopes, era: era)
        ).count
    }

    private static func states(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            "select user_id || ' ' || state || ' ' || coalesce(waits_for, '') from dialtone.jobs order by user_id"
        ).map { try $0.decode(String.self) }
    }
}
