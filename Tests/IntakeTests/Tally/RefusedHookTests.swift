// SPDX-License-Identifier: Apache-2.0
// What is refused at a hook whose source is there is counted as that source's, also when the source cannot take it.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct RefusedHookTests {
    private typealias Mapped = MappedIntakeTests

    /// Counts what a hook's door throws, as the router does.
    private static func knock(_ hook: String, _ bed: MappedIntakeTests.Bed, at now: Date = Mapped.noon) async {
        do throws(IntakeError) { _ = try await bed.intake.requireHook(hook, now: now) } catch {
            bed.intake.countRefused(Refusal(error), at: hook, now: now) { RequestForm(headers: [], body: nil) }
        }
    }

    private static func counts(_ bed: MappedIntakeTests.Bed) async throws -> [String] {
        await bed.intake.tally.write(now: Mapped.noon)
        return try await bed.rows(
            """
            select concat_ws(' ', source_id = \(bed.source.id), reason, count) from dialtone.tally order by reason
            """)
    }

    @Test func `a source that is disabled has its refusals, and a hook that nobody has made has none`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            _ = try await bed.registry.disable(slug: "s", tenant: nil)
            await Self.knock(bed.source.hookID, bed)
            await Self.knock("hk_nobody", bed)
            #expect(try await Self.counts(bed) == ["t source_disabled 1", "f unknown_hook 1"])
        }
    }

    @Test func `a source that is deleted is one of the hooks that are not known`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            _ = try await bed.registry.disable(slug: "s", tenant: nil)
            await Self.knock(bed.source.hookID, bed)
            try await bed.registry.delete(slug: "s", tenant: nil)
            await Self.knock(bed.source.hookID, bed, at: Mapped.noon + 6)
            #expect(try await Self.counts(bed) == ["t source_disabled 1", "f unknown_hook 1"])
        }
    }

    /// Both a source that was read before, and one that never could be.
    @Test(arguments: [false, true])
    func `a source that cannot be read has its refusals`(isKnown: Bool) async throws {
        try await Mapped.with(Mapped.split) { bed in
            if isKnown { await Self.knock(bed.source.hookID, bed) }
            try await bed.change(#"{"grammar":1,"nothing":"known"}"#)
            await Self.knock(bed.source.hookID, bed, at: Mapped.noon + 6)
            #expect(try await Self.counts(bed) == ["t unavailable 1"])
        }
    }

    @Test func `a handshake at a source that is disabled is counted`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            _ = try await bed.registry.disable(slug: "s", tenant: nil)
            await #expect(throws: IntakeError.disabled) {
                try await bed.intake.handshake("GET", at: bed.source.hookID, headers: { _ in [] }, now: Mapped.noon)
            }
            let none = try await bed.intake.handshake("GET", at: "hk_nobody", headers: { _ in [] }, now: Mapped.noon)
            #expect(none == nil)
            #expect(try await Self.counts(bed) == ["t source_disabled 1"])
        }
    }
}
