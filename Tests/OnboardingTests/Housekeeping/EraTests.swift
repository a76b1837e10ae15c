// SPDX-License-Identifier: Apache-2.0
// Each change of what the ledger stands on begins an era, in which nothing is trusted that was trusted before.

import Foundation
import Lifecycle
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct EraTests {
    /// What is changed in the row of the server, and what an adoption then finds.
    private static let cases: [(change: String, name: String, isLoss: Bool, isStopped: Bool)] = [
        ("started = started - 1", "restart", false, false),
        ("filenode = filenode + 1", "reload", true, false),
        ("started = started - 1, timeline = 77", "failover", true, false),
        ("database_oid = database_oid + 1", "restore", true, true),
        ("system_identifier = 1, started = started - 1", "restore", true, true),
        ("filenode = null", "reload", true, false),
    ]

    @Test(arguments: cases.indices)
    func `each change of the identity draws a new era, in which nothing is seen`(_ number: Int) async throws {
        let given = Self.cases[number]
        try await Self.with { database in
            let first = try await Self.era(database)
            #expect(try await Self.unseen(database) == 0)
            try await database.admin.script("update dialtone.incarnation set \(given.change)")
            #expect(try await Self.adopt(database) == given.name)
            #expect(try await Self.adopt(database) == nil, "the same server is no change")
            #expect(try await Self.era(database) != first)
            #expect(try await Self.unseen(database) == 2, "the tenant and its tag")
            let row = try await database.admin.query(
                "select quiet_until > now() + interval '60 seconds', is_stopped, has_lost from dialtone.incarnation"
            ).first
            let (isQuiet, isStopped, hasLost) = try #require(row).decode(Bool?.self, Bool.self, Bool.self)
            #expect(isQuiet == (given.isLoss ? true : nil) && isStopped == given.isStopped && hasLost)
        }
    }

    @Test func `a mere restart keeps a quiet time that is ahead, and no other`() async throws {
        try await Self.with { database in
            for (quiet, stays) in [("1 hour", true), ("-1 hour", false)] {
                try await database.admin.script(
                    """
                    update dialtone.incarnation set started = started - 1, quiet_until = now() + interval '\(quiet)'
                    """)
                #expect(try await Self.adopt(database) == "restart")
                let kept = try await database.admin.query(
                    "select 1 from dialtone.incarnation where quiet_until is not null")
                #expect(kept.isEmpty == !stays)
            }
        }
    }

    /// VACUUM FULL writes the table into another file, as the load of a dump does.
    @Test func `nothing is claimed from a table that was loaded anew until it is adopted`() async throws {
        try await Self.with { database in
            try await database.insert(Ledger.users(2), Ledger.jobs(2))
            let era = try await Self.era(database)
            try await database.admin.script("vacuum full dialtone.incarnation")
            #expect(try await Self.claim(in: era, database).isEmpty)
            let row = try #require(try await database.pool.query(Incarnation.current).first)
            #expect(try !Incarnation.read(row).isKnown)
            #expect(try await Self.adopt(database) == "reload")
            #expect(try await Self.claim(in: era, database).isEmpty, "the former worker is nobody now")
            let jobs = try await Self.claim(in: try await Self.era(database), database)
            #expect(jobs.count == 1 && jobs[0].life.trust.looksFirst)
        }
    }

    @Test func `a new era makes all tags due that are not seen in it`() async throws {
        try await Self.with { database in
            try await database.admin.script("update dialtone.tenant_tags set due_at = now() + interval '1 day'")
            _ = try await database.pool.query(Incarnation.makeTagsDue)
            #expect(try await Self.due(database, "due_at > now()") == 1, "it is seen")
            try await database.admin.script("update dialtone.incarnation set started = started - 1")
            _ = try await Self.adopt(database)
            _ = try await database.pool.query(Incarnation.makeTagsDue)
            #expect(try await Self.due(database, "due_at <= now()") == 1)
            try await database.admin.script(
                """
                update dialtone.incarnation set quiet_until = now() + interval '1 minute';
                update dialtone.tenant_tags set due_at = now() + interval '1 day'
                """)
            _ = try await database.pool.query(Incarnation.makeTagsDue)
            let atQuiet: SQL = "due_at = (select quiet_until from dialtone.incarnation)"
            #expect(try await Self.due(database, atQuiet) == 1, "no list counts before")
        }
    }

    // MARK: Test bed

    /// Lends a database with a tenant and its tag, whose first server was adopted.
    private static func with(_ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag())
            #expect(try await Self.adopt(database) == "first")
            try await work(database)
        }
    }

    private static func adopt(_ database: TestDatabase) async throws -> String? {
        try await database.pool.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40))).first
            .map(Incarnation.read)?.change
    }

    private static func era(_ database: TestDatabase) async throws -> Int64 {
        let row = try await database.admin.query("select era from dialtone.incarnation").first
        return try #require(row).decode(Int64.self)
    }

    /// How many tenants and tags are not seen in the present era.
    private static func unseen(_ database: TestDatabase) async throws -> Int {
        try await database.admin.query(
            """
            select 1 from dialtone.tenants, dialtone.incarnation where seen_era is distinct from era
            union all select 1 from dialtone.tenant_tags, dialtone.incarnation where seen_era is distinct from era
            """
        ).count
    }

    private static func due(_ database: TestDatabase, _ condition: SQL) async throws -> Int {
        try await database.admin.query("select 1 from dialtone.tenant_tags where \(condition)").count
    }

    /// Claims a job as a worker that knows this era.
    private static func claim(in era: Int64, _ database: TestDatabase) async throws -> [ClaimedJob] {
        let terms = ClaimTerms(
            worker: WorkerID(rawValue: UUID()), era: era, lease: .seconds(30), landingTime: .seconds(40),
            tagCapacity: 980)
        return try await database.pool.query(ClaimedJob.queued(limit: 1, from: .beginning, terms)).map {
            try ClaimedJob.read($0, state: .armed, worker: terms.worker).job
        }
    }
}
