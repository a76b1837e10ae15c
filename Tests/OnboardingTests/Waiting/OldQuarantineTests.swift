// SPDX-License-Identifier: Apache-2.0
// After its time nothing of an event in quarantine is kept but that there was one.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldQuarantineTests {
    /// Lends a database with open rows of one source, which have arrived so many days ago.
    private static func with(days: [Int32], _ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let source = UUID()
            try await database.insert(
                """
                insert into dialtone.sources (source_id, slug, tenant_id, hook_id, preset)
                values (\(source), 'app', \(testTenant), 'hk_app', 'svix')
                """,
                """
                insert into dialtone.quarantine (arrived_at, event_id, source_id, config_version, size, reason,
                                                 tenant_id, body_sha256, picks, sealed)
                select now() - make_interval(days => days), gen_random_uuid(), \(source), 1, days, 'unmapped', 'acme',
                       sha256('x'), '{}', 'x'
                from unnest(\(days)) days
                """)
            try await work(database)
        }
    }

    /// The days of each row that is open, and what is kept of those that are not.
    private static func rows(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select concat_ws(' ', size, settled_by, sealed is not null or picks is not null) from dialtone.quarantine
            order by size
            """
        ).map { try $0.decode(String.self) }
    }

    @Test(arguments: [1, 14, 90] as [Int32])
    func `a row that is older than its time ends with its body, and a younger one stays`(days: Int32) async throws {
        try await Self.with(days: [days - 1, days + 1]) { database in
            try await database.commit([OldQuarantine.end(after: .seconds(Int(days) * 86_400), limit: 10)])
            let rows = try await Self.rows(database)
            #expect(rows == ["\(days - 1) t", "\(days + 1) expired f"])
        }
    }

    /// Such an event names no user, so no erasure would find what its sender's id may name.
    @Test func `an event whose time is over keeps no sender's id, and one that somebody holds waits`() async throws {
        try await Self.with(days: [1, 31, 40]) { database in
            try await database.insert(
                """
                insert into dialtone.events (received_at, event_id, source_id, delivery_id, sent_id, tenant_id, outcome)
                select arrived_at, event_id, source_id, 'sha256:' || size, 'e-' || size, 'acme', 'quarantined'
                from dialtone.quarantine
                """)
            try await database.admin.script("begin; select 1 from dialtone.events where sent_id = 'e-40' for update")
            try await database.commit([OldQuarantine.end(after: .seconds(14 * 86_400), limit: 10)])
            try await database.admin.script("commit")
            let rows = try await Self.rows(database)
            #expect(rows == ["1 t", "31 expired f", "40 t"])
            let sent = try await database.admin.query(
                "select sent_id from dialtone.events where sent_id is not null order by 1"
            ).map { try $0.decode(String.self) }
            #expect(sent == ["e-1", "e-40"])
        }
    }

    /// A fresh installation is analysed while its tables are empty. A connection keeps the plans it made then.
    @Test func `no event is walked to`() async throws {
        try await Self.with(days: [1]) { database in
            try await database.admin.script("vacuum analyze")
            let statement = OldQuarantine.end(after: .seconds(86_400), limit: 10)
            let plan = try await database.pool.withConnection { try await QueryPlan.generic(of: statement, on: $0) }
            #expect(plan.walkedTables.subtracting(["sources"]).isEmpty, "\(plan)")
        }
    }

    @Test func `an event is kept for 14 days where nobody says otherwise`() {
        #expect(OnboardingWorker.Configuration().quarantineLife == .seconds(14 * 86_400))
    }

    @Test func `a page is as long as it may be, and the oldest come first`() async throws {
        try await Self.with(days: [31, 50, 40]) { database in
            try await database.commit([OldQuarantine.end(after: .seconds(14 * 86_400), limit: 2)])
            let rows = try await Self.rows(database)
            #expect(rows == ["31 t", "40 expired f", "50 expired f"])
        }
    }
}
