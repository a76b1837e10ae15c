// SPDX-License-Identifier: Apache-2.0
// Each filter finds its users and no others, in both orders, and a page that finds few goes on.

import Foundation
import Model
import Postgres
import TestSupport
import Testing
import Vault

@testable import Directory

@Suite struct UserFilterTests {
    private static let reader = Reader(tenant: testTenant)

    /// Returns the ids of all users of a list, by pages.
    private static func ids(
        _ queries: Queries, _ list: UserList, limit: Int = 2, as reader: Reader = Self.reader
    ) async throws -> [String] {
        var found: [String] = []
        var place: UserPlace?
        repeat {
            let page = try await queries.users.page(
                of: list, after: place, limit: limit, withReasons: false, as: reader)
            found += page.users.map(\.userID)
            place = page.next
        } while place != nil
        return found
    }

    private static func filter(_ change: (inout UserFilter) -> Void) -> UserList {
        var filter = UserFilter()
        change(&filter)
        return UserList(of: testTenant, filter)
    }

    /// Users `a-1` … `a-5`, ready, who signed up one minute after another, and one `b`.
    private static func add(_ database: TestDatabase, _ vault: Vault) async throws {
        let names = (1...5).map { "a-\($0)" } + ["b"]
        try await DirectoryBed.add(names, .ready, database)
        try await database.insert(
            """
            update dialtone.users set received_at = timestamptz '2026-01-01 00:00:00+00'
                + ascii(right(user_id, 1)) * interval '1 minute'
            """)
        let user = UserKey(tenant: testTenant, user: try UserID("a-3"))
        try await database.insert(Ledger.credential(ProviderID(rawValue: "c-3"), of: user))
        let sealer = try await vault.sealer(for: testTenant.rawValue)
        let sealed = try sealer.seal(
            PersonName(name: "Ada", email: "Ada@Example.com").sealedText, .personName(of: user))
        try await database.insert(
            """
            update dialtone.credentials set tag = 'acme.2',
                username_index = \(Bytes(sealer.blindIndex("gencredABC", column: "sip_username")))
            """,
            """
            insert into dialtone.person_names (tenant_id, user_id, sealed, email_index, told_at)
            values (\(testTenant), 'a-3', \(Bytes(sealed)),
                    \(Bytes(sealer.blindIndex(PersonName.folded("Ada@Example.com"), column: "email"))), now())
            """)
    }

    @Test func `each filter finds its users and no others`() async throws {
        try await TestDatabase.with { database in
            let (queries, vault) = try DirectoryBed.queries(database)
            try await Self.add(database, vault)
            let minute = { (minute: String) in RFC3339.date("2026-01-01T00:\(minute):00Z") }
            let cases: [(UserList, [String])] = [
                (Self.filter { $0.prefix = "a-" }, (1...5).map { "a-\($0)" }),
                (Self.filter { $0.prefix = "a-9" }, []), (Self.filter { $0.id = UserID(rawValue: "b") }, ["b"]),
                (Self.filter { $0.tag = "acme.2" }, ["a-3"]), (Self.filter { $0.tag = "acme" }, []),
                (Self.filter { $0.sipUsername = "gencredABC" }, ["a-3"]),
                (Self.filter { $0.sipUsername = "GENCREDabc" }, ["a-3"]),
                (Self.filter { $0.sipUsername = "gencred" }, []),
                (Self.filter { $0.email = "ADA@example.com" }, ["a-3"]), (Self.filter { $0.email = "ada" }, []),
                (Self.filter { $0.status = [.failed, .ready] }, (1...5).map { "a-\($0)" } + ["b"]),
                (Self.filter { $0.status = [.pending] }, []),
                // The digits 1 to 5 are the bytes 49 to 53.
                (Self.filter { $0.receivedAfter = minute("51") }, ["a-3", "a-4", "a-5"] + ["b"]),
                (Self.filter { $0.receivedBefore = minute("51") }, ["a-1", "a-2"]),
                (
                    Self.filter {
                        $0.prefix = "a-"
                        $0.tag = "acme.2"
                        $0.status = [.ready]
                    }, ["a-3"]
                ),
            ]
            for (list, expected) in cases {
                #expect(try await Self.ids(queries, list) == expected, "\(list.filter.words)")
                let count = try await queries.users.count(list, as: Self.reader)
                #expect(count == UserCount(count: expected.count, exact: true), "\(list.filter.words)")
            }
        }
    }

    @Test func `the newest come first, by pages of any size`() async throws {
        try await TestDatabase.with { database in
            let (queries, vault) = try DirectoryBed.queries(database)
            try await Self.add(database, vault)
            for size in [1, 2, 6, 50] {
                let ids = try await Self.ids(queries, UserList(of: testTenant, order: .newest), limit: size)
                #expect(ids == ["b", "a-5", "a-4", "a-3", "a-2", "a-1"])
            }
            // Users of the same moment are each there once.
            try await database.insert("update dialtone.users set received_at = timestamptz '2026-01-01 00:00:00+00'")
            for size in [1, 2, 5] {
                let ids = try await Self.ids(queries, UserList(of: testTenant, order: .newest), limit: size)
                #expect(ids == ["b", "a-5", "a-4", "a-3", "a-2", "a-1"])
            }
        }
    }

    /// More wait than the walk over jobs may read: an import.
    @Test func `the newest of an import come first, and nobody is left out`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            let number = UserCandidates.mostJobs + 50
            try await database.insert(
                Ledger.users(number), Ledger.jobs(number),
                "update dialtone.users set status = 'ready' where user_id = 'user-7'",
                "delete from dialtone.jobs where user_id = 'user-7'",
                "update dialtone.users set received_at = now() + interval '1 hour' where user_id = 'user-9'")
            let list = UserList(of: testTenant, UserFilter(status: .pending), order: .newest)
            let ids = try await Self.ids(queries, list, limit: 5000)
            #expect(ids.count == number - 1 && Set(ids).count == number - 1 && ids.first == "user-9")
            #expect(!ids.contains("user-7"))
            let count = try await queries.users.count(
                Self.filter {
                    $0.status = [.pending]
                    $0.receivedAfter = Date(timeIntervalSince1970: 0)
                }, as: Self.reader)
            #expect(count == UserCount(count: UserCount.most, exact: false))
        }
    }

    @Test func `times bound the newest from both sides, and pages go on between them`() async throws {
        try await TestDatabase.with { database in
            let (queries, vault) = try DirectoryBed.queries(database)
            try await Self.add(database, vault)
            var list = Self.filter {
                $0.receivedAfter = RFC3339.date("2026-01-01T00:50:00Z")
                $0.receivedBefore = RFC3339.date("2026-01-01T00:53:00Z")
            }
            list.order = .newest
            for size in [1, 2, 50] {
                #expect(try await Self.ids(queries, list, limit: size) == ["a-4", "a-3", "a-2"])
            }
        }
    }

    @Test func `a name is shown where it is kept, and never another tenant's`() async throws {
        try await TestDatabase.with { database in
            let (queries, vault) = try DirectoryBed.queries(database)
            try await Self.add(database, vault)
            let shown = try await queries.users.show(
                UserKey(tenant: testTenant, user: try UserID("a-3")), as: Self.reader)
            #expect(shown?.name == "Ada" && shown?.email == "Ada@Example.com")
            let stranger = Reader(tenant: try TenantID("globex"))
            let list = Self.filter { $0.email = "ada@example.com" }
            #expect(try await Self.ids(queries, list, as: stranger).isEmpty)
        }
    }

    @Test func `a filter that few pass goes on page by page, and finds them all`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            try await database.insert(
                Ledger.users(5_000), "update dialtone.users set status = 'ready'",
                "update dialtone.users set status = 'revoked', wanted = 'gone' where right(user_id, 3) = '999'")
            let list = UserList(of: testTenant, UserFilter(status: .revoked))
            let first = try await queries.users.page(of: list, limit: 50, withReasons: false, as: Self.reader)
            #expect(first.next != nil && first.users.count < 5)
            let ids = try await Self.ids(queries, list, limit: 50)
            #expect(ids == ["user-1999", "user-2999", "user-3999", "user-4999", "user-999"])
        }
    }

    @Test(arguments: [0, 50_000])
    func `no list walks a table or reads a bitmap, whatever the planner knew`(ready: Int) async throws {
        try await TestDatabase.with { database in
            let (queries, vault) = try DirectoryBed.queries(database)
            _ = queries
            if ready > 0 { try await DirectoryBed.addReady(ready, database) }
            try await database.admin.script("vacuum analyze")
            var lists = [UserList(of: testTenant, order: .newest)]
            lists.append(Self.filter { $0.prefix = "a" })
            lists.append(Self.filter { $0.tag = "acme" })
            lists.append(Self.filter { $0.source = "app" })
            lists.append(Self.filter { $0.email = "a@b.c" })
            lists.append(Self.filter { $0.sipUsername = "x" })
            lists.append(Self.filter { $0.status = [.failed, .pending] })
            for list in lists {
                let keys = try await UserKeys(of: list.filter, for: testTenant, vault)
                for statement in [
                    UserSelect.page(list, keys, after: nil, limit: 51), UserSelect.count(list, keys),
                ] {
                    try await database.pool.withTransaction { connection in
                        _ = try await connection.query(TenantReads.wall(testTenant, timeLimit: nil))
                        let plan = try await QueryPlan.generic(of: statement, on: connection)
                        #expect(plan.walkedTables.isEmpty, "\(list.words): \(plan)")
                        #expect(!plan.description.contains("Bitmap"), "\(list.words): \(plan)")
                    }
                }
            }
        }
    }
}
