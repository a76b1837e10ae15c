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
