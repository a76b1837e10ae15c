// SPDX-License-Identifier: Apache-2.0
// Users who failed for one cause are one group, however the provider words it for each of them.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct FailureGroupsTests {
    private static let reader = Reader(tenant: testTenant)

    @Test func `one code of the provider is one group, whatever it says of each user`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            try await DirectoryBed.add(["a", "b", "c", "d", "e"], .failed, database)
            try await database.insert(
                """
                update dialtone.jobs
                set provider_code = case when user_id in ('a', 'b', 'c') then '10015'
                                         when user_id = 'd' then '10017' end,
                    words = case when user_id <> 'a' then 'the value of ' || user_id || ' is taken' end,
                    enqueued_at = timestamptz '2026-11-26 10:00:00+00'
                                  + (ascii(user_id) - ascii('a')) * interval '1 minute'
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let (groups, isWhole) = try await queries.failures.groups(of: testTenant, as: Self.reader)
            #expect(isWhole && groups.map(\.reason) == ["rejected", "rejected", "rejected"])
            #expect(groups.map(\.code) == ["10015", "10017", nil])
            #expect(groups.map(\.users) == [3, 1, 1])
            let first = try #require(groups.first)
            #expect(first.sample == ["a", "b", "c"])
            #expect(first.providerWords == "the value of b is taken", "one of them stands for all")
            #expect(first.since == RFC3339.date("2026-11-26T10:00:00Z"))
            #expect(first.lastAt == RFC3339.date("2026-11-26T10:02:00Z"))
        }
    }
}
