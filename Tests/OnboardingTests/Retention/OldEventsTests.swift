// SPDX-License-Identifier: Apache-2.0
// An old event goes when it changed nothing and no replay can bring it back; each other one stays.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldEventsTests {
    private static let timed = UUID()
    private static let untimed = UUID()

    /// Lends a database with a source that signs a time and one that does not.
    private static func with(_ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            for (source, slug, signs) in [(Self.timed, "timed", true), (Self.untimed, "untimed", false)] {
                try await database.insert(
                    """
                    insert into dialtone.sources (source_id, slug, tenant_id, hook_id, preset, signs_time)
                    values (\(source), \(slug), \(testTenant), \("hk_\(slug)"), 'svix', \(signs))
                    """)
            }
            try await work(database)
        }
    }

    /// An event of a delivery, so many days old. `timedAt` false: its sender gave it no time.
    private static func event(
        _ delivery: String, of source: UUID = Self.timed, item: Int32 = 0, _ outcome: String = "duplicate",
        days: Int32 = 91, hasTime: Bool = true, id: UUID = UUID()
    ) -> SQL {
        """
        insert into dialtone.events (received_at, event_id, source_id, item, occurred_at, delivery_id, tenant_id, user_id,
                                     wanted, outcome)
        select at, \(id), \(source), \(item), case when \(hasTime) then at end, \(delivery), \(testTenant), 'user-1',
               'live', \(outcome)
        from (select now() - make_interval(days => \(days)) as at) received
        """
    }

    /// Walks until the walk begins anew. Returns the deliveries that are left.
    private static func walk(_ database: TestDatabase) async throws -> [String] {
        var place = OldEvents.Place()
        repeat {
            let rows = try await database.pool.query(OldEvents.forget(after: .seconds(90 * 86_400), from: place))
            place = try OldEvents.nextPlace(after: rows)
        } while place.receivedAt > Date(timeIntervalSince1970: 0)
        return try await database.admin.query("select delivery_id from dialtone.events order by 1")
            .map { try $0.decode(String.self) }
    }

    @Test func `an old event that changed nothing goes, and what changed something or is young stays`() async throws {
        try await Self.with { database in
            try await database.insert(
                Self.event("a", "duplicate"), Self.event("b", "superseded"), Self.event("c", "ignored"),
                Self.event("d", "accepted"), Self.event("e", "quarantined"), Self.event("f", days: 89))
            #expect(try await Self.walk(database) == ["d", "e", "f"])
        }
    }

    @Test func `an event stays whose replay no signed time refuses, or that has no time of its own`() async throws {
        try await Self.with { database in
            try await database.insert(Self.event("a", of: Self.untimed), Self.event("b", hasTime: false))
            #expect(try await Self.walk(database) == ["a", "b"])
            // A hook that no node believes any more takes no replay.
            try await database.admin.script(
                "update dialtone.sources set status = 'deleted', stopped_at = null where slug = 'untimed'")
            #expect(try await Self.walk(database) == ["b"])
        }
    }

    /// Nothing is added to a delivery that the ledger knows, so a part of it that comes again would have no answer.
    @Test func `a delivery goes whole or not at all`() async throws {
        try await Self.with { database in
            try await database.insert(
                Self.event("a", item: 0), Self.event("a", item: 1, "accepted"), Self.event("b", item: 0, days: 92),
                Self.event("b", item: 1, "superseded"))
            #expect(try await Self.walk(database) == ["a", "a"])
        }
    }

    @Test func `an event stays that a user, a fact, quarantine or an effect names`() async throws {
        try await Self.with { database in
            let ids = (0..<5).map { _ in UUID() }
            for (number, id) in ids.enumerated() { try await database.insert(Self.event("d\(number)", id: id)) }
            try await database.insert(
                Ledger.user(), "update dialtone.users set cause_id = \(ids[0])",
                """
                insert into dialtone.people (source_id, external_user, cause_id)
                values (\(Self.timed), 'user-1', \(ids[1]))
                """,
                """
                insert into dialtone.memberships (source_id, external_user, external_tenant, state, cause_id)
                values (\(Self.timed), 'user-1', 'o', 'live', \(ids[2]))
                """,
                """
                insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, body_sha256)
                values (\(ids[3]), \(Self.timed), 1, 1, 'unmapped', \(testTenant), sha256('x'))
                """,
                """
                insert into dialtone.effects (event_id, tenant_id, user_id, effect)
                values (\(ids[4]), 'globex', 'user-1', 'gone')
                """)
            #expect(try await Self.walk(database).count == 5)
            try await database.admin.script("delete from dialtone.effects; update dialtone.users set cause_id = null")
            #expect(try await Self.walk(database) == ["d1", "d2", "d3"])
        }
    }

    @Test func `events that stay do not keep the walk from those behind them`() async throws {
        try await Self.with { database in
            try await database.insert(
                """
                insert into dialtone.events (received_at, event_id, source_id, occurred_at, delivery_id, tenant_id, outcome)
                select at, gen_random_uuid(), case when number <= 1200 then \(Self.untimed) else \(Self.timed) end, at,
                       number::text, \(testTenant), 'duplicate'
                from generate_series(1, 2000) number,
                     lateral (select now() - interval '100 days' + number * interval '1 second' as at) received
                """)
            #expect(try await Self.walk(database).count == 1200)
        }
    }

    @Test func `an event that somebody holds is left for the next walk`() async throws {
        try await Self.with { database in
            try await database.insert(Self.event("a"), Self.event("b"))
            try await database.admin.script("begin; select 1 from dialtone.events where delivery_id = 'a' for update")
            let place = OldEvents.Place()
            _ = try await database.pool.query(OldEvents.forget(after: .seconds(90 * 86_400), from: place))
            try await database.admin.script("commit")
            let left = try await database.admin.query("select delivery_id from dialtone.events")
                .map { try $0.decode(String.self) }
            #expect(left == ["a"])
        }
    }

    @Test func `the walk over old events enters each table by key`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                let statement = OldEvents.forget(after: .seconds(1), from: OldEvents.Place())
                let plan = try await QueryPlan.generic(of: statement, on: connection)
                #expect(plan.walkedTables.isEmpty, "\(plan)")
            }
        }
    }
}
