// SPDX-License-Identifier: Apache-2.0
// An event whose time in quarantine is over has lost its body. When it comes again it is kept anew.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct ExpiredQuarantineTests {
    /// What housekeeping leaves.
    private static func expire(_ bed: ReplayBed) async throws {
        _ = try await bed.database.admin.query(
            "update dialtone.quarantine set settled_at = now(), settled_by = 'expired', sealed = null, picks = null")
    }

    private static let unmapped = MappedIntakeTests.event(1, "u", org: "acme")
    private static let unusable = Self.unmapped.replacing(#""user""#, with: #""uid""#)

    /// It stands twice in its request, as a sender may have it.
    @Test(arguments: [(Self.unmapped, "unmapped body"), (Self.unusable, "missing body")])
    func `an event whose time in quarantine is over is kept anew when it comes again, and counts once it is replayed`(
        event: String, kept: String
    ) async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let body = #"{"events":[\#(event),\#(event)]}"#
            let first = try await bed.bed.send(body)
            #expect(try await bed.quarantine() == [kept])
            try await Self.expire(bed)
            let again = try await bed.bed.send(body)
            #expect(again.items.map(\.status) == [.quarantined, .quarantined])
            #expect(again.items.allSatisfy { $0.eventID == first.eventID })
            #expect(try await bed.quarantine() == [kept])
            let third = try await bed.bed.send(body)
            #expect(third.eventID == first.eventID)
            #expect(try await bed.quarantine() == [kept])
            try await bed.map("acme")
            try await bed.mend(#""user_id":"/user""#, #""user_id":{"first":["/user","/uid"]}"#)
            #expect(try await bed.runAll().map(\.outcome) == [.replayed])
            #expect(try await bed.users() == ["u live 1 1"])
        }
    }

    @Test func `what was settled before its time was over is not opened when it comes again`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(Self.unusable).first)
            #expect(try await bed.replay.drop(event) == .dropped)
            #expect(try await bed.send(Self.unusable) == [event])
            #expect(try await bed.quarantine() == ["missing dropped"])
        }
    }
}
