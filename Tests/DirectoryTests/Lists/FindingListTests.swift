// SPDX-License-Identifier: Apache-2.0
// What visits have found is listed from the newest on, each once, also where many came in one moment.

import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct FindingListTests {
    @Test(arguments: [1, 2, 9]) func `findings of one moment are each on one page`(limit: Int) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(),
                """
                insert into dialtone.findings (at, kind, tenant_id, provider_id)
                select timestamptz '2026-11-26 10:00:00+00' + (number / 4) * interval '1 second',
                       case number % 2 when 0 then 'second' else 'missing' end, \(testTenant), 'p-' || number / 2
                from generate_series(0, 11) as number
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            var (found, next): ([String], String?) = ([], nil)
            repeat {
                let (page, rest) = try await queries.tags.findings(
                    of: testTenant, after: next, limit: limit, as: Reader(tenant: testTenant))
                found += page.map { "\($0.credentialID) \($0.kind)" }
                next = rest
            } while next != nil
            #expect(found.count == 12 && Set(found).count == 12 && found.first == "p-5 second", "\(found)")
        }
    }
}
