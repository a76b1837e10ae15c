// SPDX-License-Identifier: Apache-2.0
// An erasure leaves no delivery id that names the person, and the delivery stays one.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct ErasedDeliveryIDTests {
    private typealias Bed = UserErasureTests

    /// The hash under which intake has a delivery that names the person.
    private static let hash: SQL = """
        'sha256:' || encode(sha256(convert_to(\(Bed.source)::text || ':' || \("created-" + Bed.name), 'UTF8')), 'hex')
        """

    /// Another person's event under this id.
    private static func besides(_ delivery: SQL, item: Int32) -> SQL {
        """
        insert into dialtone.events (received_at, event_id, source_id, occurred_at, delivery_id, item, tenant_id,
                                     user_id, wanted, outcome)
        values (now(), gen_random_uuid(), \(Bed.source), now(), \(delivery), \(item), \(testTenant), 'u-2', 'live',
                'accepted')
        """
    }

    /// Item, user, and what the id is.
    private static func events(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select concat_ws(' ', item, coalesce(user_id, '-'), outcome,
                             case delivery_id when \(Self.hash) then 'hash'
                                              when 'erased:' || event_id then 'erased' end)
            from dialtone.events
            where starts_with(delivery_id, \(Self.hash)) or delivery_id = 'erased:' || event_id order by 1
            """
        ).map { try $0.decode(String.self) }
    }

    /// Where no time is signed, the ledger has had the id since before ids were hashed.
    @Test(arguments: [true, false])
    func `a hash takes the place of an id that names the person, in all events of the delivery`(
        _ signsTime: Bool
    ) async throws {
        try await Bed.with { database, user in
            try await database.insert(
                "update dialtone.sources set signs_time = \(signsTime)",
                Self.besides("\("created-" + Bed.name)", item: 1))
            let report = try await Bed.erasure(database).erase(user)
            #expect([report.events, report.keptInSources] == [3, 0])
            #expect(try await Bed.tables(with: Bed.name, database) == [])
            #expect(try await Self.events(database) == ["0 - ignored hash", "1 u-2 accepted hash"])
        }
    }

    /// A second event came under the same sender's id, and has an id of its own.
    @Test func `no event keeps the sender's id of a delivery that has named the person`() async throws {
        try await Bed.with { database, user in
            let suffix = "#0123456789abcdef0123456789abcdef"
            try await database.insert(
                "update dialtone.sources set signs_time = false",
                "update dialtone.events set delivery_id = \(Self.hash) where delivery_id ~ '^created'",
                Self.besides(Self.hash, item: 1), Self.besides("\(Self.hash) || \(suffix)", item: 0),
                "update dialtone.events set sent_id = \("created-" + Bed.name) where delivery_id ~ '^sha256'")
            _ = try await Bed.erasure(database).erase(user)
            #expect(try await Bed.tables(with: Bed.name, database) == [])
            #expect(try await Self.events(database) == ["0 - ignored hash", "0 u-2 accepted", "1 u-2 accepted hash"])
        }
    }

    /// A mapping has made the id of several values. It is JSON.
    @Test(arguments: [true, false])
    func `an id that names the person with escapes goes too`(_ signsTime: Bool) async throws {
        try await Bed.with { database, _ in
            let user = UserKey(tenant: testTenant, user: try UserID(#"o"brien-8c1f6a"#))
            let id = #"["gone","o\"brien-8c1f6a"]"#
            try await database.insert(
                "update dialtone.sources set signs_time = \(signsTime)",
                Ledger.user(user, wanted: .gone, generation: 1, status: .revoked),
                """
                insert into dialtone.events (received_at, event_id, source_id, occurred_at, delivery_id, tenant_id,
                                             user_id, wanted, outcome)
                values (now(), gen_random_uuid(), \(Bed.source), now(), \(id), \(testTenant), \(user.user), 'gone',
                        'accepted')
                """)
            _ = try await UserErasure(pool: database.pool, settle: .zero).erase(user)
            #expect(try await Bed.tables(with: "brien-8c1f6a", database) == [])
        }
    }

    /// The hash is the guard already, and two deliveries have not one id.
    @Test func `where the ledger has the hash already, the event has an id of its own`() async throws {
        try await Bed.with { database, user in
            try await database.insert(
                "update dialtone.sources set signs_time = false", Self.besides(Self.hash, item: 0))
            _ = try await Bed.erasure(database).erase(user)
            #expect(try await Bed.tables(with: Bed.name, database) == [])
            #expect(try await Self.events(database) == ["0 - ignored erased", "0 u-2 accepted hash"])
        }
    }
}
