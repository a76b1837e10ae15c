// SPDX-License-Identifier: Apache-2.0
// A tenant's events are found among everybody's, by pages, by time and by what they came to.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct EventsTests {
    private static let reader = Reader(tenant: testTenant)
    static let source = "00000000-0000-0000-0000-00000000000a"

    /// An event of each minute, from `first` on, whose id begins with its time as intake's ids do.
    private static func events(
        _ numbers: ClosedRange<Int>, of tenant: String, _ outcome: EventOutcome = .accepted
    ) -> SQL {
        """
        insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted, outcome)
        select at, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000800000000000' ||
                    lpad(to_hex(number), 4, '0'))::uuid,
               \(Self.source)::uuid, 'd-' || number, \(tenant), 'u-' || number, 'live', \(outcome.rawValue)
        from (select number, timestamptz '2026-11-26 10:00:00+00' + number * interval '1 minute' as at
              from generate_series(\(numbers.lowerBound), \(numbers.upperBound)) as number) moments
        """
    }

    static func with(_ work: (Events, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(), Ledger.tenant(try TenantID("globex")),
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values (\(Self.source)::uuid, \(testTenant), 'acme-app', 'hk_1', 'standard')
                """, Self.events(1...40, of: "acme"), Self.events(1001...12_500, of: "globex"))
            try await work(try DirectoryBed.queries(database).queries.events, database)
        }
    }

    private static func all(_ events: Events, _ filter: EventFilter = EventFilter(), limit: Int) async throws
        -> [String]
    {
        var (found, next): ([String], String?) = ([], nil)
        repeat {
            let page = try await events.page(of: testTenant, filter, after: next, limit: limit, as: Self.reader)
            found += page.events.map(\.deliveryID)
            next = page.next
        } while next != nil
        return found
    }

    @Test func `an event shows its sender's id of the delivery, where the ledger has a hash of it`() async throws {
        try await Self.with { events, database in
            try await database.insert(
                "update dialtone.events set sent_id = 'sent', delivery_id = 'sha256:0' where delivery_id = 'd-40'")
            let page = try await events.page(of: testTenant, EventFilter(), limit: 2, as: Self.reader)
            #expect(page.events.map(\.deliveryID) == ["sent", "d-39"])
            let id = try #require(page.events.first.flatMap { UUID(uuidString: $0.eventID) })
            let shown = try await events.show(EventID(rawValue: id), of: testTenant, as: Self.reader)
            #expect(shown?.deliveryID == "sent")
        }
    }

    @Test func `a first page has the newest of a small tenant, however much the others were told since`() async throws {
        try await Self.with { events, _ in
            let page = try await events.page(of: testTenant, EventFilter(), limit: 5, as: Self.reader)
            #expect(page.events.map(\.deliveryID) == (36...40).reversed().map { "d-\($0)" })
        }
    }

    @Test(arguments: [1, 7, 40, 200]) func `pages of any size have each event once`(limit: Int) async throws {
        try await Self.with { events, _ in
            let found = try await Self.all(events, limit: limit)
            #expect(found == (1...40).reversed().map { "d-\($0)" })
        }
    }

    @Test func `times bound a list from both sides`() async throws {
        try await Self.with { events, _ in
            var filter = EventFilter()
            filter.receivedAfter = RFC3339.date("2026-11-26T10:10:00Z")
            filter.receivedBefore = RFC3339.date("2026-11-26T10:13:00Z")
            let found = try await Self.all(events, filter, limit: 2)
            #expect(found == ["d-12", "d-11", "d-10"])
        }
    }

    @Test func `what is in quarantine is listed from its newest, by pages`() async throws {
        try await Self.with { events, database in
            try await database.insert(
                Self.events(101...130, of: "acme", .quarantined),
                """
                insert into dialtone.quarantine (event_id, source_id, config_version, tenant_id, arrived_at, size,
                                                 body_sha256, reason)
                select event_id, source_id, 1, tenant_id, received_at, 9, decode(repeat('00', 32), 'hex'), 'wrong_type'
                from dialtone.events where outcome = 'quarantined'
                """)
            var filter = EventFilter()
            filter.outcome = [.quarantined]
            let found = try await Self.all(events, filter, limit: 7)
            #expect(found == (101...130).reversed().map { "d-\($0)" })
        }
    }

    /// Of the forty people five have waited. One of them has a membership by now, and the time of one is over.
    static func addWaiting(_ database: TestDatabase) async throws {
        try await database.insert(
            "update dialtone.events set detail = 'waits' where delivery_id in ('d-3', 'd-5', 'd-7', 'd-9', 'd-11')",
            """
            insert into dialtone.people (source_id, external_user, waits_until)
            select \(Self.source)::uuid, user_id,
                   case delivery_id when 'd-5' then null when 'd-7' then now() - interval '1 minute'
                                    else now() + interval '9 days' end
            from dialtone.events where detail = 'waits'
            """)
    }

    @Test(arguments: [1, 2, 9]) func `who still waits for a membership is listed as waiting`(limit: Int) async throws {
        try await Self.with { events, database in
            try await Self.addWaiting(database)
            var (waiting, accepted, both) = (EventFilter(), EventFilter(), EventFilter())
            (waiting.outcome, accepted.outcome, both.outcome) = ([.waiting], [.accepted], [.waiting, .superseded])
            let still = ["d-11", "d-9", "d-3"]
            let found = try await Self.all(events, waiting, limit: limit)
            #expect(found == still)
            let others = try await Self.all(events, accepted, limit: limit)
            #expect(others.count == 37 && Set(others).isDisjoint(with: still))
            let mixed = try await Self.all(events, both, limit: limit)
            #expect(mixed == still)
            waiting.user = try UserID("u-5")
            let before = try await Self.all(events, waiting, limit: limit)
            #expect(before.isEmpty, "the person waits no more")
        }
    }

    @Test func `a person who waits is told as such in every list, and to the own tenant alone`() async throws {
        try await Self.with { events, database in
            try await Self.addWaiting(database)
            let page = try await events.page(of: testTenant, EventFilter(), limit: 50, as: Self.reader)
            let outcomes = Dictionary(uniqueKeysWithValues: page.events.map { ($0.deliveryID, $0.outcome) })
            #expect(outcomes["d-9"] == "waiting" && outcomes["d-5"] == "accepted" && outcomes["d-8"] == "accepted")
            let id = try #require(page.events.first { $0.deliveryID == "d-9" }?.eventID)
            let one = try await events.show(
                EventID(rawValue: try #require(UUID(uuidString: id))), of: testTenant, as: Self.reader)
            #expect(one?.outcome == "waiting" && one?.detail == "waits")
            var waiting = EventFilter()
            waiting.outcome = [.waiting]
            let globex = try TenantID("globex")
            for tenant in [testTenant, globex] {
                let hidden = try await events.page(of: tenant, waiting, limit: 50, as: Reader(tenant: globex))
                #expect(hidden.events.isEmpty)
            }
        }
    }

    @Test func `of many people who wait each is listed once, and of few at once behind many events`() async throws {
        try await Self.with { events, database in
            try await Self.addWaiting(database)
            let numbers = 20_001...30_005
            try await database.insert(Self.events(numbers, of: "acme"))
            var waiting = EventFilter()
            waiting.outcome = [.waiting]
            let few = ["d-11", "d-9", "d-3"]
            let page = try await events.page(of: testTenant, waiting, limit: 9, as: Self.reader)
            #expect(page.events.map(\.deliveryID) == few && page.next == nil)
            try await database.insert(
                """
                update dialtone.events set detail = 'waits'
                where tenant_id = \(testTenant) and substr(delivery_id, 3)::integer > 20000
                """,
                """
                insert into dialtone.people (source_id, external_user, waits_until)
                select source_id, user_id, now() + interval '9 days' from dialtone.events
                where tenant_id = \(testTenant) and substr(delivery_id, 3)::integer > 20000
                """)
            let found = try await Self.all(events, waiting, limit: 2000)
            let many = numbers.reversed().map { "d-\($0)" }
            #expect(found == many + few)
        }
    }

    /// More events of one person than a page takes of a person, all behind those of the others.
    @Test(arguments: [1, 5, 12, 50]) func `a time and a cursor leave out nobody who waits`(limit: Int) async throws {
        try await Self.with { events, database in
            try await Self.addWaiting(database)
            let later: SQL = "tenant_id = \(testTenant) and substr(delivery_id, 3)::integer > 50"
            try await database.insert(
                Self.events(51...62, of: "acme"),
                "update dialtone.events set detail = 'waits', user_id = 'u-9' where \(later)")
            var waiting = EventFilter()
            waiting.outcome = [.waiting]
            let all = try await Self.all(events, waiting, limit: limit)
            let (few, newer) = (["d-11", "d-9", "d-3"], (51...62).reversed().map { "d-\($0)" })
            #expect(all == newer + few)
            waiting.receivedBefore = RFC3339.date("2026-11-26T10:41:00Z")
            let before = try await Self.all(events, waiting, limit: limit)
            #expect(before == few)
        }
    }

    @Test func `a list of one outcome looks through no more events than one of those who wait`() async throws {
        try await Self.with { events, database in
            try await database.insert(
                Self.events(20_001...23_100, of: "acme"),
                "update dialtone.events set outcome = 'superseded' where tenant_id = 'acme' and delivery_id = 'd-3'")
            var filter = EventFilter()
            filter.outcome = [.superseded]
            let first = try await events.page(of: testTenant, filter, limit: 5, as: Self.reader)
            #expect(first.events.isEmpty && first.next != nil)
            let found = try await Self.all(events, filter, limit: 5)
            #expect(found == ["d-3"])
        }
    }

    @Test func `no list of events walks the table`() async throws {
        try await Self.with { _, database in
            try await database.admin.script("vacuum analyze")
            var (ofUser, kept, timed) = (EventFilter(), EventFilter(), EventFilter())
            var waiting = EventFilter()
            waiting.outcome = [.waiting]
            ofUser.user = testUser
            kept.outcome = [.quarantined]
            timed.receivedAfter = Date(timeIntervalSince1970: 1_795_687_200)
            try await database.pool.withTransaction { connection in
                _ = try await connection.query(TenantReads.wall(testTenant, timeLimit: nil))
                for filter in [EventFilter(), ofUser, kept, timed, waiting] {
                    let statement = Events.select(of: testTenant, filter, before: UUID(), limit: 51)
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    // There are few sources, and no index names their tenant alone.
                    #expect(
                        plan.walkedTables.isSubset(of: ["sources"]) && !plan.description.contains("Bitmap"), "\(plan)")
                }
            }
        }
    }
}
