// SPDX-License-Identifier: Apache-2.0
// A summary adds up minutes and hours as far back as they are kept, and counts what was refused in that time.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct SummaryTests {
    /// Two minutes of the present hour, an hour of three days ago, and one of eighty days ago. In each a source of the
    /// tenant was refused something, but for the last: refusals are counted for 14 days.
    private static func with(_ work: (Summaries) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(),
                """
                insert into dialtone.tenant_minutes (bucket, minutes, tenant_id, accepted, ready, latency)
                select date_trunc('hour', now(), 'UTC') - age, minutes, 'acme', 5, 2,
                       array_fill(0, array[16]) || array[2]
                from (values (interval '0', 1), (interval '-1 minute', 1), (interval '72 hours', 60),
                             (interval '80 days', 60)) as kept (age, minutes)
                """,
                """
                insert into dialtone.sources (source_id, tenant_id, allowed_tenants, slug, hook_id, preset)
                values ('00000000-0000-0000-0000-00000000000a', 'acme', '{}', 'app', 'hk_1', 'standard'),
                       ('00000000-0000-0000-0000-00000000000b', null, array['acme'], 'shared', 'hk_2', 'standard')
                """,
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                select date_trunc('hour', now(), 'UTC') - age, source_id, 7, now() - age, minutes, outcome, 'too_large'
                from dialtone.sources, unnest(array['refused', 'ignored']) as outcome,
                     (values (interval '0', 1), (interval '72 hours', 60)) as kept (age, minutes)
                """)
            try await work(try DirectoryBed.queries(database).queries.summaries)
        }
    }

    @Test(arguments: [(1, 1, 10, 7), (24, 1, 10, 7), (100, 2, 15, 14), (2160, 3, 20, 14), (9999, 3, 20, 14)])
    func `the hours that were asked for are added up, and no more than are kept`(
        hours: Int, rows: Int, accepted: Int64, refused: Int64
    ) async throws {
        try await Self.with { summaries in
            let summary = try #require(
                try await summaries.show(testTenant, hours: hours, as: Reader(tenant: testTenant)))
            #expect(summary.hours.count == rows && summary.total.accepted == accepted)
            #expect(summary.refused == refused, "of its own source alone, and only what was refused")
            #expect(summary.total.latency == Array(repeating: 0, count: 16) + [accepted * 2 / 5])
            #expect(summary.hours.map(\.hour) == summary.hours.map(\.hour).sorted())
            // Longer than two weeks it tells days.
            let (step, length): (Summary.Step, TimeInterval) = hours > 336 ? (.day, 86_400) : (.hour, 3600)
            #expect(summary.step == step)
            #expect(summary.hours.allSatisfy { $0.hour.timeIntervalSince1970.remainder(dividingBy: length) == 0 })
        }
    }

    @Test func `a summary of an older service, which says no step, tells hours`() async throws {
        try await Self.with { summaries in
            let summary = try #require(
                try await summaries.show(testTenant, hours: 1000, as: Reader(tenant: testTenant)))
            let written = try JSONSerialization.jsonObject(with: JSONEncoder().encode(summary))
            var members = try #require(written as? [String: Any])
            let step = members.removeValue(forKey: "step") as? String
            #expect(step == "day")
            let told = try JSONSerialization.data(withJSONObject: members)
            let older = try JSONDecoder().decode(Summary.self, from: told)
            #expect(older.step == .hour && older.hours.count == summary.hours.count)
        }
    }
}
