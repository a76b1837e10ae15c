// SPDX-License-Identifier: Apache-2.0
// Events are counted for their tenant by what became of them, where intake knows the tenant.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Counts
@testable import Intake

@Suite struct CountedEventsTests {
    private typealias Mapped = MappedIntakeTests

    private static func total(_ bed: MappedIntakeTests.Bed) -> [TenantID: TenantCount] {
        bed.intake.counts.take().rows.reduce(into: [:]) { $0[$1.key.tenant, default: TenantCount()].add($1.value) }
    }

    @Test func `each event of a delivery is counted by its outcome, and each repetition too`() async throws {
        try await Mapped.with(Mapped.split, owner: testTenant) { bed in
            let other = #"{"id":"o","type":"session.created","user":"u","org":"o","time":1}"#
            let body = #"{"events":[\#(other),\#(Mapped.event(1, "u")),\#(Mapped.event(2, "v", org: "new"))]}"#
            _ = try await bed.send(body)
            let first = Self.total(bed)
            #expect(first[testTenant]?.accepted == 1, "\(first)")
            #expect(first[testTenant]?.ignored == 1 && first[testTenant]?.quarantined == 1, "\(first)")
            _ = try await bed.send(body)
            let second = Self.total(bed)
            #expect(second[testTenant]?.duplicate == 1 && second[testTenant]?.accepted == 0, "\(second)")
        }
    }
}
