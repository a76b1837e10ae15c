// SPDX-License-Identifier: Apache-2.0
// What is new in the log is told once, in whatever bursts it comes, and to its tenant only.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct NewsTests {
    private static let reader = Reader(tenant: testTenant)

    @Test func `what is new in the log is told once, and from where it was cut off`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            var told = News.Told(from: try await queries.news.now(as: Self.reader))
            try await Self.log(["a", "b"], database)
            let first = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
            #expect(first.map(\.user) == ["a", "b"])
            #expect(try await queries.news.next(of: testTenant, after: &told, as: Self.reader).isEmpty)
            try await Self.log(["c"], database)
            #expect(try await queries.news.next(of: testTenant, after: &told, as: Self.reader).map(\.user) == ["c"])
            var again = News.Told(from: first[0].place)
            let rest = try await queries.news.next(of: testTenant, after: &again, as: Self.reader)
            #expect(Set(rest.map(\.user)).isSuperset(of: ["b", "c"]))
            let stranger = Reader(tenant: try TenantID("globex"))
            var foreign = News.Told(from: first[0].place)
            #expect(try await queries.news.next(of: testTenant, after: &foreign, as: stranger).isEmpty)
        }
    }

    @Test func `a burst of one moment is told whole, and each step once`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            var told = News.Told(from: try await queries.news.now(as: Self.reader))
            try await database.insert(
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                select now(), gen_random_uuid(), \(testTenant), 'u-' || number, 1, 'queued', 'armed', 1
                from generate_series(1, 1200) as number
                """)
            var sizes: [Int] = []
            var users: Set<String> = []
            for _ in 1...4 {
                let items = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
                sizes.append(items.count)
                users.formUnion(items.map(\.user))
            }
            #expect(sizes == [500, 500, 200, 0] && users.count == 1200)
        }
    }

    @Test func `a step that is committed late is told all the same`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            var told = News.Told(from: try await queries.news.now(as: Self.reader))
            try await Self.log(["early"], database)
            _ = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
            try await database.insert(
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                values (now() - interval '3 s', gen_random_uuid(), \(testTenant), 'late', 1, 'queued', 'armed', 1)
                """)
            let items = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
            #expect(items.map(\.user) == ["late"])
        }
    }

    @Test func `a backlog of many minutes is told in order and once, and then forgotten`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            try await database.insert(
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                select now() - interval '10 min' + number * interval '200 ms', gen_random_uuid(), \(testTenant),
                       'u-' || number, 1, 'queued', 'armed', 1
                from generate_series(1, 3000) as number
                """)
            let now = try await queries.news.now(as: Self.reader)
            var told = News.Told(from: NewsPlace(microseconds: now.microseconds - 15 * 60_000_000))
            var (users, most): ([String], Int) = ([], 0)
            while true {
                let items = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
                guard !items.isEmpty else { break }
                #expect(items.count <= News.mostPerAnswer)
                users += items.map(\.user)
                most = max(most, told.keyCount)
            }
            #expect(users == (1...3000).map { "u-\($0)" })
            // Only the last five seconds may come again, with 25 steps.
            #expect(most <= 26)
        }
    }

    @Test func `steps of one moment long ago are told whole, and none of them is remembered`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            try await database.insert(
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                select now() - interval '30 min', gen_random_uuid(), \(testTenant), 'u-' || number, 1, 'queued',
                       'armed', 1
                from generate_series(1, 1200) as number
                """)
            var told = News.Told(from: try await queries.news.now(as: Self.reader).anHourBefore)
            var users: [String] = []
            for size in [500, 500, 200, 0] {
                let items = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
                #expect(items.count == size && told.keyCount == 0)
                users += items.map(\.user)
            }
            #expect(users.count == 1200 && Set(users).count == 1200)
        }
    }

    @Test func `an hour in which nothing happened is crossed by one answer`() async throws {
        try await TestDatabase.with { database in
            let (queries, _) = try DirectoryBed.queries(database)
            try await Self.log(["a"], database)
            var told = News.Told(from: try await queries.news.now(as: Self.reader).anHourBefore)
            let items = try await queries.news.next(of: testTenant, after: &told, as: Self.reader)
            #expect(items.map(\.user) == ["a"])
        }
    }

    private static func log(_ users: [String], _ database: TestDatabase) async throws {
        for user in users {
            try await database.insert(
                """
                insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
                values (gen_random_uuid(), \(testTenant), \(user), 1, 'queued', 'armed', 1)
                """)
        }
    }
}
