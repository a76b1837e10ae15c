// SPDX-License-Identifier: Apache-2.0
// What was not stored of a tenant's sources is counted by reason, with a few samples of its form.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct RefusalListTests {
    private static let source = "00000000-0000-0000-0000-00000000000a"
    private static let other = "00000000-0000-0000-0000-00000000000b"

    /// Refusals, ignored deliveries and what quarantine had no room for, of a source of `acme` and one of `globex`.
    private static func with(_ work: (Refusals, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(), Ledger.tenant(try TenantID("globex")),
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values (\(Self.source)::uuid, 'acme', 'app', 'hk_1', 'standard'),
                       (\(Self.other)::uuid, 'globex', 'theirs', 'hk_2', 'standard')
                """,
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                select date_trunc('minute', now()), source_id, 3, now() - age * interval '1 second', 1, outcome, reason
                from dialtone.sources, (values (1, 'refused', 'proof_signature'), (2, 'ignored', 'session.created'),
                                               (3, 'not_kept', 'unmapped')) as told (age, outcome, reason)
                """,
                """
                insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
                select timestamptz '2026-11-26 10:00:00+00' + slot * interval '1 minute', source_id, slot, outcome,
                       case when outcome = 'refused' and slot = 9 then 'proof_time'
                            when outcome = 'refused' then 'proof_signature' else 'unmapped' end,
                       json_build_object(
                           'headers', json_build_array(json_build_object('name', 'webhook-id', 'bytes', slot)),
                           'body', case when slot < 8 then 1203 end)
                from dialtone.sources, generate_series(0, 9) as slot, unnest(array['refused', 'not_kept']) as outcome
                """)
            try await work(try DirectoryBed.queries(database).queries.refusals, database)
        }
    }

    @Test func `each reason has its newest samples, and no others`() async throws {
        try await Self.with { refusals, _ in
            let list = try await refusals.list(of: testTenant, source: nil, as: Reader(tenant: testTenant))
            #expect(list.map(\.outcome) == ["refused", "ignored", "not_kept"], "the newest first")
            #expect(list.map(\.samples.count) == [3, 0, 3])
            let samples = try #require(list.first).samples
            let minutes = [8, 7, 6].compactMap { RFC3339.date("2026-11-26T10:0\($0):00Z") }
            #expect(samples.map(\.at) == minutes)
            #expect(samples.map(\.bodyBytes) == [nil, 1203, 1203])
            #expect(samples.map { $0.headers.map(\.name) } == Array(repeating: ["webhook-id"], count: 3))
            #expect(samples.first?.headers.map(\.bytes) == [8])
        }
    }

    @Test func `a sample of another tenant's source is never shown`() async throws {
        try await Self.with { refusals, _ in
            let list = try await refusals.list(of: testTenant, source: nil, as: Reader(tenant: testTenant))
            #expect(Set(list.map(\.source)) == ["app"])
            let stranger = Reader(tenant: try TenantID("globex"))
            let hidden = try await refusals.list(of: testTenant, source: nil, as: stranger)
            #expect(hidden.isEmpty)
        }
    }

    /// How many of the newest samples of the source of `acme` a transaction of `reader` is shown.
    private static func samples(shownTo reader: TenantID, _ database: TestDatabase) async throws -> String {
        try await database.pool.withTransaction { connection in
            _ = try await connection.query(TenantReads.wall(reader, timeLimit: nil))
            let rows = try await connection.query(
                """
                select cardinality(kept.times)::text || ' ' || cardinality(kept.forms)::text
                from dialtone.newest_samples(\(Self.source)::uuid, 'refused', 'proof_signature') kept
                """)
            return try #require(rows.first).decode(String.self)
        }
    }

    /// Asked directly: in a list the counts of another tenant's source are hidden anyway.
    @Test func `the function that reads samples shows a tenant those of its own sources alone`() async throws {
        try await Self.with { _, database in
            let own = try await Self.samples(shownTo: testTenant, database)
            #expect(own == "3 3")
            let foreign = try await Self.samples(shownTo: try TenantID("globex"), database)
            #expect(foreign == "0 0")
        }
    }

    @Test func `a form that is not known is shown as empty`() {
        let sample = RefusalSample(at: Date(timeIntervalSince1970: 0), form: "{\"shape\":1}")
        #expect(sample.bodyBytes == nil && sample.headers.isEmpty)
    }
}
