// SPDX-License-Identifier: Apache-2.0
// A tenant that only the mapping table knows stands in the queue behind itself, and not before others.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct MappedTenantLineTests {
    /// Each user comes in a commit of its own, so the clock is all that knows of the line.
    @Test func `a tenant that signs up many users lines up behind itself, and another tenant's user does not wait`()
        async throws
    {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            var clock = FairClock()
            for number in 0..<50 {
                let word = try Said.joins("o1", 10).with { $0.user = "u-\(number)" }.word()
                _ = try await TrackedDelivery.store([word], &clock, in: database.pool)
            }
            _ = try await TrackedDelivery.store([try Said.joins("o3", 10).word()], &clock, in: database.pool)
            let places = try await database.admin.query(
                "select place from dialtone.jobs where tenant_id = 'acme' order by place"
            ).map { try $0.decode(Int64.self) }
            // A line that begins anew does so by the server's clock, and a slow commit's node is behind it. So one step
            // may be narrow, and all together are not.
            #expect(places.count == 50 && places[49] - places[0] >= 49 * FairClock.step / 2)
            let newcomer = try await database.admin.query("select place from dialtone.jobs where tenant_id = 'globex'")
                .first?.decode(Int64.self)
            #expect(try #require(newcomer) < places[49])
        }
    }
}
