// SPDX-License-Identifier: Apache-2.0
// A list is whole or it is not, and totals are a reason to list and nothing more.

import Foundation
import Lifecycle
import Model
import Postgres
import Synchronization
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct TagListTests {
    /// The answer is missing, always none, capped, off by three, or different each time.
    @Test(arguments: ["missing", "zero", "capped", "offset"])
    func `a total that is missing or wrong takes nothing from anybody, and makes lists daily at the worst`(
        _ lie: String
    ) async throws {
        try await VisitBed.with(300) { bed in
            bed.provider.change {
                switch lie {
                case "missing": $0.total = { _ in nil }
                case "zero": $0.total = { _ in 0 }
                case "capped": $0.total = { min($0, 250) }
                default: $0.total = { $0 + 3 }
                }
            }
            for _ in 1...4 {
                let (_, report) = try await bed.visit()
                #expect(report.surplus + report.missing + report.reprovisioned + report.stopped.count == 0)
            }
            let open = try await bed.rows("select provider_id from dialtone.credentials where status = 'active'")
            #expect(open.count == 300)
            if lie == "missing" { #expect(try await (86_000...87_000).contains(bed.pause())) }
            if lie == "offset" { #expect(try await bed.visit().outcome == .agreed, "the difference is known by now") }
        }
    }

    @Test func `lists become daily after three that explain no total, until it agrees`() async throws {
        try await VisitBed.with(3) { bed in
            let lies = Lies()
            bed.provider.change { $0.total = { $0 + lies.next() } }
            for number in 1...3 {
                _ = try await bed.visit()
                #expect(try await bed.rows("select miscounts::text from dialtone.tenant_tags") == ["\(number)"])
            }
            #expect(try await (86_000...87_000).contains(bed.pause()))
            bed.provider.change { $0.total = { $0 } }
            #expect(try await bed.visit().report.listed == 3)
            #expect(try await bed.rows("select miscounts::text from dialtone.tenant_tags") == ["0"])
        }
    }

    @Test func `a visit makes sixteen calls at most`() async throws {
        try await VisitBed.with(980) { bed in
            bed.provider.change { state in
                for index in 0..<100 { state.tags["acme"]?[index].expired = true }
            }
            try await bed.changeEra()
            _ = try await bed.visit()
            #expect(bed.provider.calls <= 16)
            #expect(try await bed.pause() < 1, "the rest is asked for at once")
            #expect(try await !bed.isTenantSeen())
        }
    }

    /// The provider shows the whole account under every tag.
    @Test func `a filter that is not heeded proves presence and counts nothing`() async throws {
        try await VisitBed.with(2) { bed in
            let beta = try TenantID("beta")
            let other = UserKey(tenant: beta, user: testUser)
            try await bed.database.insert(
                Ledger.tenant(beta, connection: "2"), Ledger.user(other, status: .ready),
                Ledger.credential(ProviderID(rawValue: "b"), of: other, tag: "beta", age: .seconds(3600)))
            bed.provider.add(.shown("b", named: bed.names.name(for: other, generation: 1)), to: "beta")
            bed.provider.change { $0.ignoresFilter = true }
            let (outcome, report) = try await bed.visit(isAsked: true)
            #expect(outcome.list?.isInexact == true && report.strays + report.surplus + report.foreign == 0)
            #expect(report.tags == 2, "a shard that shows what the last has shown is none")
            #expect(try await bed.rows("select tag || ' ' || held from dialtone.tenant_tags") == ["acme 2"])
            #expect(
                try await bed.rows("select tag from dialtone.credentials order by tag") == ["acme", "acme", "beta"])
        }
    }

    @Test func `a list that has four pages more than it should is cut and proves nothing`() async throws {
        try await VisitBed.with(2) { bed in
            for number in 1...1300 { bed.provider.add(.shown("x-\(number)", named: "somebody else's"), to: "acme") }
            try await bed.changeEra()
            let (outcome, report) = try await bed.visit()
            #expect(outcome == .failed && report.failedLists == 1)
            #expect(try await !bed.isTenantSeen())
        }
    }

    @Test func `the visit of the highest shard finds those that the ledger has forgotten, one after another`()
        async throws
    {
        try await VisitBed.with(1) { bed in
            try await bed.own(2...2, tag: "acme.2")
            try await bed.own(3...3, tag: "acme.3")
            try await bed.changeEra()
            _ = try await bed.visit()
            #expect(try await !bed.isTenantSeen(), "a shard that was found must be seen too")
            _ = try await bed.visit(2)
            _ = try await bed.visit(3)
            #expect(try await bed.isTenantSeen())
            #expect(
                try await bed.rows("select tag from dialtone.tenant_tags order by shard")
                    == ["acme", "acme.2", "acme.3"])
        }
    }
}

/// A number that is another each time.
private final class Lies: Sendable {
    private let last = Mutex(0)

    func next() -> Int {
        self.last.withLock {
            $0 += 1
            return $0
        }
    }
}
