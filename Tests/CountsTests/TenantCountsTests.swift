// SPDX-License-Identifier: Apache-2.0
// Counts of tenants are kept by the minute, with the time to each credential, and never without a bound.

import Foundation
import Model
import Testing

@testable import Counts

@Suite struct TenantCountsTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_007.9)

    @Test func `what happens in a minute is one row of its tenant`() throws {
        let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
        let counts = TenantCounts(now: { Self.noon })
        counts.add([
            (acme, .received(.accepted)), (globex, .received(.duplicate)), (acme, .received(.accepted)),
            (acme, .received(.superseded)),
        ])
        counts.add(.received(.ignored), of: acme, times: 3)
        counts.add(.received(.quarantined), of: acme, times: 0)
        counts.add(.failed, of: globex)
        counts.add(.revoked, of: globex)
        let rows = counts.take().rows
        #expect(
            rows == [
                .init(minute: 1_800_000_000, tenant: acme): TenantCount(accepted: 2, superseded: 1, ignored: 3),
                .init(minute: 1_800_000_000, tenant: globex): TenantCount(duplicate: 1, failed: 1, revoked: 1),
            ])
        #expect(counts.waiting == 0)
    }

    @Test(arguments: [
        (Duration.zero, 0), (.milliseconds(1), 0), (.microseconds(1001), 1), (.milliseconds(50), 5),
        (.seconds(1), 9), (.seconds(100), 15), (.milliseconds(100_001), 16),
    ]) func `a time to a credential counts in the first bucket that holds it`(_ time: Duration, _ place: Int) throws {
        let counts = TenantCounts(now: { Self.noon })
        counts.add(.ready(after: time), of: try TenantID("acme"))
        let row = try #require(counts.take().rows.values.first)
        #expect(row.ready == 1 && row.latency.count == 17)
        #expect(row.latency.firstIndex(of: 1) == place)
    }

    @Test func `a user whose time is not known is ready all the same`() throws {
        let counts = TenantCounts(now: { Self.noon })
        counts.add(.ready(after: nil), of: try TenantID("acme"))
        #expect(counts.take().rows.values.map(\.ready) == [1])
    }

    @Test func `a tenant beyond the bound is left out and the others count on`() throws {
        let counts = TenantCounts(maximum: 2, now: { Self.noon })
        for name in ["a", "b", "c", "a", "c"] { counts.add(.received(.accepted), of: try TenantID(name)) }
        let taken = counts.take()
        #expect(taken.rows.count == 2 && taken.leftOut == 2)
        #expect(taken.rows.values.map(\.accepted).reduce(0, +) == 3)
        counts.add(.received(.accepted), of: try TenantID("c"))
        #expect(counts.take().leftOut == 0, "a part that was written has made room")
    }

    @Test func `what is put back is added to what came meanwhile`() throws {
        let acme = try TenantID("acme")
        let counts = TenantCounts(now: { Self.noon })
        counts.add(.ready(after: .milliseconds(3)), of: acme)
        let taken = counts.take()
        counts.add(.ready(after: .milliseconds(3)), of: acme)
        counts.putBack(taken.rows.map { (key: $0.key, count: $0.value) })
        let row = try #require(counts.take().rows.values.first)
        #expect(row.ready == 2 && row.latency[2] == 2)
    }
}
