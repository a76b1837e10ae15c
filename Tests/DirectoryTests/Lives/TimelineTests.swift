// SPDX-License-Identifier: Apache-2.0
// A user's life is one line of time from all tables, by pages, and the tenant's own.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct TimelineTests {
    private static let reader = Reader(tenant: testTenant)

    private static func add(_ database: TestDatabase) async throws {
        try await database.insert(
            Ledger.tenant(), Ledger.user(testUserKey, status: .ready, readyAt: Date()),
            """
            insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
            values ('00000000-0000-0000-0000-00000000000a', \(testTenant), 'acme-app', 'hk_1', 'standard')
            """,
            """
            insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                         outcome)
            values ('2026-11-26 10:00:00+00', gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'msg_1',
                    \(testTenant), \(testUser), 'live', 'accepted')
            """,
            """
            insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch,
                                          http_status, provider_request_id, call_ms)
            values ('2026-11-26 10:00:01+00', gen_random_uuid(), \(testTenant), \(testUser), 1, 'queued', 'armed', 1,
                    null, null, null),
                   ('2026-11-26 10:00:02+00', gen_random_uuid(), \(testTenant), \(testUser), 1, 'armed', 'owned', 1,
                    201, 'req-1', 31)
            """, Ledger.credential(ProviderID(rawValue: "cred-1"), of: testUserKey),
            """
            update dialtone.credentials set created_at = '2026-11-26 10:00:02+00',
                first_token_at = '2026-11-26 10:00:03+00', last_token_at = '2026-11-26 10:00:04+00'
            """,
            """
            insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, found_at, deleted_at)
            values ('extra', \(testTenant), \(testUser), 1, 'n', '2026-11-26 10:00:05+00', '2026-11-26 10:00:06+00')
            """)
    }

    private static let steps: [TimelineKind] = [
        .eventAccepted, .jobClaimed, .providerCreate, .credentialActive, .tokenFirst, .tokenLast, .surplusFound,
        .surplusDeleted,
    ]

    /// The job goes on: to another credential whose overlap is not over, to the wanted generation, or to its death.
    @Test(arguments: ["scheduled", "queued", "dead"])
    func `a delete that worked is a delete, whatever its job does next`(next: String) {
        func kind(_ status: Int32?) -> TimelineKind {
            TimelineKind(from: "armed", to: next, hasCall: status != nil, status: status)
        }
        #expect(kind(200) == .providerDelete && kind(204) == .providerDelete)
        #expect(![kind(422), kind(429), kind(503), kind(nil)].contains(.providerDelete))
    }

    @Test func `an overlap that is not over yet is no step of a life`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(database)
            let (queries, _) = try DirectoryBed.queries(database)
            for (end, isTold) in [("1 hour", false), ("-1 second", true)] {
                try await database.insert(
                    """
                    update dialtone.credentials
                    set status = 'closing', close_after = clock_timestamp() + \(end)::text::interval
                    """)
                let page = try await queries.timelines.page(testUserKey, limit: 200, as: Self.reader)
                #expect(page?.entries.contains { $0.kind == .credentialClosing } == isTold)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 200]) func `the oldest step comes first, by pages of any size`(limit: Int) async throws {
        try await TestDatabase.with { database in
            try await Self.add(database)
            let (queries, _) = try DirectoryBed.queries(database)
            var (found, next): ([TimelineEntry], String?) = ([], nil)
            repeat {
                let page = try #require(
                    try await queries.timelines.page(testUserKey, after: next, limit: limit, as: Self.reader))
                found += page.entries
                next = page.next
            } while next != nil
            #expect(found.map(\.kind) == Self.steps)
        }
    }

    @Test func `a step shows the sender's id of the delivery, where the ledger has a hash of it`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(database)
            try await database.insert("update dialtone.events set sent_id = 'sent', delivery_id = 'sha256:0'")
            let (queries, _) = try DirectoryBed.queries(database)
            let page = try #require(try await queries.timelines.page(testUserKey, limit: 1, as: Self.reader))
            #expect(page.entries.map(\.deliveryID) == ["sent"])
        }
    }

    @Test func `a step has what is known of it, and every member is there`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(database)
            let (queries, _) = try DirectoryBed.queries(database)
            let page = try #require(
                try await queries.timelines.page(testUserKey, limit: 50, as: Self.reader))
            #expect(page.entries[0].source == "acme-app" && page.entries[0].deliveryID == "msg_1")
            let create = page.entries[2]
            #expect(create.httpStatus == 201 && create.callMilliseconds == 31 && create.providerRequestID == "req-1")
            #expect(page.entries[3].credentialID == "cred-1")
            let text = String(decoding: try JSONOutput.data(page.entries[1]), as: UTF8.self)
            for member in ["http_status", "credential_id", "delivery_id", "actor", "code"] {
                #expect(text.contains("\"\(member)\":null"), "\(text)")
            }
        }
    }

    @Test func `an operator's actions stand in the life, with the id of their request`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(database)
            _ = try await UserActions(pool: database.pool, request: "r-1").rotate(testUserKey, overlap: .zero)
            _ = try await UserActions(pool: database.pool, request: "r-2").revoke(testUserKey)
            let (queries, _) = try DirectoryBed.queries(database)
            let page = try #require(try await queries.timelines.page(testUserKey, limit: 50, as: Self.reader))
            let actions = page.entries.filter { $0.actor == "operator" }
            #expect(actions.map(\.kind) == [.actionRotate, .actionRevoke])
            #expect(actions.map(\.requestID) == ["r-1", "r-2"])
        }
    }

    @Test func `a page begins at the very microsecond at which the last one ended`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(), Ledger.user(),
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                select timestamptz '2026-11-26 10:00:00.000001+00' + number * interval '1 microsecond',
                       gen_random_uuid(), \(testTenant), \(testUser), 1, 'queued', 'armed', number
                from generate_series(1, 300) as number
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            var (found, next): ([Int64?], String?) = ([], nil)
            repeat {
                let page = try #require(
                    try await queries.timelines.page(testUserKey, after: next, limit: 1, as: Self.reader))
                found += page.entries.map(\.epoch)
                next = page.next
            } while next != nil
            #expect(found == (1...300).map { Int64($0) })
        }
    }

    @Test func `a user of another tenant has no life`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(database)
            let (queries, _) = try DirectoryBed.queries(database)
            let stranger = Reader(tenant: try TenantID("globex"))
            #expect(try await queries.timelines.page(testUserKey, limit: 9, as: stranger) == nil)
            let nobody = UserKey(tenant: testTenant, user: try UserID("nobody"))
            #expect(try await queries.timelines.page(nobody, limit: 9, as: Self.reader) == nil)
        }
    }
}
