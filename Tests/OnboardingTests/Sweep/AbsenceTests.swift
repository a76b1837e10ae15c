// SPDX-License-Identifier: Apache-2.0
// What a list leaves out is worth a question by id, and nothing more.

import Foundation
import Lifecycle
import Model
import Postgres
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct AbsenceTests {
    /// An answer that is empty and says so: the key is of another organisation, or the provider errs.
    @Test func `an empty list of 980 credentials asks for three of them and takes nothing`() async throws {
        try await VisitBed.with(980) { bed in
            bed.provider.change { state in state.hidden = Set((state.tags["acme"] ?? []).map(\.id)) }
            let (outcome, report) = try await bed.visit()
            #expect(outcome == .failed, "one that is there makes the list a failed one")
            #expect(!bed.provider.retrieved.isEmpty && bed.provider.retrieved.count <= 3)
            #expect(report.reprovisioned + report.missing == 0)
            #expect(try await Self.missing(bed).isEmpty)
        }
    }

    @Test func `when all of three are gone an operator decides`() async throws {
        try await VisitBed.with(12) { bed in
            for number in 2...12 { bed.provider.remove(ProviderID(rawValue: "p-\(number)")) }
            let (outcome, report) = try await bed.visit()
            #expect(outcome.list?.wouldChange == 11 && report.stopped == ["acme"])
            #expect(bed.provider.retrieved.count == 4, "three, and a witness")
            #expect(try await Self.missing(bed).isEmpty)
            #expect(try await bed.rows("select would_change::text from dialtone.tenant_tags") == ["11"])
            let confirmed = try await bed.visit(isAsked: true) { $0.isConfirmed = true }
            #expect(confirmed.report.missing == 11)
        }
    }

    @Test func `without a witness nothing of an empty tag is missing or seen`() async throws {
        try await VisitBed.with(12) { bed in
            bed.provider.change { $0.tags = [:] }
            try await bed.changeEra()
            let (outcome, report) = try await bed.visit()
            #expect(outcome == .unproven && report.unproven == 12 && report.stopped.isEmpty)
            #expect(try await !bed.isTenantSeen())
            #expect(try await Self.missing(bed).isEmpty)
        }
    }

    /// The second question is not a visit's (`MissingCredentials`).
    @Test func `a credential that a visit misses is asked for again, and then its user gets another`() async throws {
        try await VisitBed.with(3) { bed in
            bed.provider.remove(ProviderID(rawValue: "p-2"))
            #expect(try await bed.visit().report.missing == 1)
            let asked = bed.provider.retrieved.count
            #expect(try await bed.visit().report.missing == 1, "the count goes on finding it")
            #expect(bed.provider.retrieved.count == asked)
            #expect(try await bed.askForMissing() == .nothingDue, "too early")
            try await bed.database.admin.script(
                "update dialtone.credentials set missing_since = missing_since - interval '41 seconds'")
            #expect(try await bed.askForMissing() == .replaced)
            #expect(try await bed.rows("select held::text from dialtone.tenant_tags") == ["2"])
            #expect(
                try await bed.rows("select generation || ' ' || status from dialtone.users where user_id = 'user-2'")
                    == ["2 pending"])
            #expect(try await bed.rows("select state from dialtone.jobs where user_id = 'user-2'") == ["in_doubt"])
        }
    }

    @Test func `a credential that no list shows and that answers by id stays`() async throws {
        try await VisitBed.with(3) { bed in
            bed.provider.change { $0.hidden = [ProviderID(rawValue: "p-2")] }
            let first = try await bed.visit().outcome
            #expect(first.list != nil)
            #expect(try await Self.missing(bed).isEmpty)
            #expect(try await bed.visit().outcome == .agreed, "the difference is known")
        }
    }

    @Test func `credentials that expired are replaced without asking, however many they are`() async throws {
        try await VisitBed.with(9) { bed in
            bed.provider.change { state in
                for index in 0..<8 { state.tags["acme"]?[index].expired = true }
            }
            let (_, report) = try await bed.visit(isAsked: true)
            #expect(report.reprovisioned == 8 && report.stopped.isEmpty)
        }
    }

    private static func missing(_ bed: VisitBed) async throws -> [String] {
        try await bed.rows(
            "select provider_id from dialtone.credentials where missing_since is not null or status <> 'active'")
    }
}
