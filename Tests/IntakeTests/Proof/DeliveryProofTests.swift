// SPDX-License-Identifier: Apache-2.0
// Every kind of proof accepts what its sender signs, and refuses what was forged, replayed, changed or broken.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct DeliveryProofTests {
    private static let now: Int64 = 1_700_000_000
    private static let body = Array(#"{"type":"user.created","data":{"user_id":"u-1"}}"#.utf8)
    /// What no sender writes, and what a lax reader may choke on.
    private static let garbage = [
        "\u{0}", "\u{FFFD}\u{FFFD}", "é=ü", "=", ",", ";;;,,,", "...", ". .", "v1,", "v1=", "t=", "Bearer", "Bearer ",
        "Basic :", "Basic =", "Basic ====", "sha256=", "null", "{}", "-1", String(repeating: "a", count: 100_000),
        String(repeating: "v1=00,", count: 10_000), String(repeating: ".", count: 10_000),
    ]

    private func bed(_ kind: SigningKind, readAt: Int64 = now) async throws -> ProofBed {
        try await ProofBed(
            kind.configuration, secret: kind.secret, keySet: TestToken.keySet, readAt: TimeInterval(readAt))
    }

    private func refusal(
        _ bed: ProofBed, _ headers: [String: String], body: [UInt8] = body, now: Int64 = now
    ) -> ProofFailure.Kind? {
        bed.refusal(headers.mapValues { [$0] }, body: body, now: TimeInterval(now))
    }

    @Test(arguments: SigningKind.all)
    func `what the sender signs is proven`(kind: SigningKind) async throws {
        let bed = try await self.bed(kind)
        #expect(self.refusal(bed, kind.sign(Self.body, Self.now, false)) == nil)
        #expect(self.refusal(bed, kind.sign([], Self.now, false), body: []) == nil)
        let binary = (0...255).map { UInt8($0) }
        #expect(self.refusal(bed, kind.sign(binary, Self.now, false), body: binary) == nil)
    }

    @Test(arguments: SigningKind.all)
    func `another sender's signature is refused`(kind: SigningKind) async throws {
        let kinds: [ProofFailure.Kind?] = [.signature, .credential]
        #expect(kinds.contains(self.refusal(try await self.bed(kind), kind.sign(Self.body, Self.now, true))))
    }

    @Test(arguments: SigningKind.bound)
    func `a changed, shortened or empty body is refused`(kind: SigningKind) async throws {
        let bed = try await self.bed(kind)
        let headers = kind.sign(Self.body, Self.now, false)
        let kinds: [ProofFailure.Kind?] = [.signature, .bodyHash]
        for place in Self.body.indices {
            var changed = Self.body
            changed[place] ^= 1
            #expect(kinds.contains(self.refusal(bed, headers, body: changed)))
        }
        for other in [[], Array(Self.body.dropLast()), Self.body + [0x20]] {
            #expect(kinds.contains(self.refusal(bed, headers, body: other)))
        }
    }

    @Test(arguments: SigningKind.timed)
    func `an old delivery and one from the future are refused`(kind: SigningKind) async throws {
        let bed = try await self.bed(kind)
        let headers = kind.sign(Self.body, Self.now, false)
        #expect(self.refusal(bed, headers, now: Self.now + 299) == nil)
        #expect(self.refusal(bed, headers, now: Self.now + 301) == .expired)
        #expect(self.refusal(bed, headers, now: Self.now - 301) == .ahead)
        let later = Self.now + 86_400 * 365
        #expect(self.refusal(try await self.bed(kind, readAt: later), headers, now: later) == .expired)
    }

    @Test(arguments: SigningKind.timed)
    func `a time in another unit is refused`(kind: SigningKind) async throws {
        let bed = try await self.bed(kind)
        for time in [Self.now * 1000, Self.now / 1000, Self.now * 1_000_000] {
            #expect(self.refusal(bed, kind.sign(Self.body, time, false)) != nil)
        }
    }

    @Test(arguments: SigningKind.all)
    func `a header that is missing, empty or there twice is refused`(kind: SigningKind) async throws {
        let bed = try await self.bed(kind)
        let headers = kind.sign(Self.body, Self.now, false).mapValues { [$0] }
        for (name, values) in headers {
            for (others, expected) in [
                ([], ProofFailure.Kind.missing), ([""], .missing), ([" \t"], .missing), (values + values, .repeated),
                (values + ["x"], .repeated), (["x"] + values, .repeated),
            ] {
                var changed = headers
                changed[name] = others
                #expect(bed.refusal(changed, body: Self.body, now: TimeInterval(Self.now)) == expected)
            }
        }
    }

    @Test(arguments: SigningKind.all)
    func `garbage in a header is refused`(kind: SigningKind) async throws {
        let bed = try await self.bed(kind)
        let headers = kind.sign(Self.body, Self.now, false)
        for (name, value) in headers {
            for other in Self.garbage + [value + "\u{0}", value + "é", String(value.dropLast(3))] {
                var changed = headers
                changed[name] = other
                #expect(self.refusal(bed, changed) != nil, "\(name): \(other.prefix(60))")
            }
        }
    }

    @Test(arguments: SigningKind.all)
    func `blanks around a header's value are no part of it`(kind: SigningKind) async throws {
        let headers = kind.sign(Self.body, Self.now, false).mapValues { " \t\($0) " }
        #expect(self.refusal(try await self.bed(kind), headers) == nil)
    }

    /// The source's own kinds side by side, as a secret is never asked which of them it is for.
    @Test func `a failure quotes no value`() async throws {
        for kind in SigningKind.all {
            let bed = try await self.bed(kind)
            for (name, value) in kind.sign(Self.body, Self.now, true) {
                let headers = kind.sign(Self.body, Self.now, true).mapValues { [$0] }
                let failure = #expect(throws: ProofFailure.self) {
                    try bed.verify(headers, body: Self.body, now: TimeInterval(Self.now))
                }
                let reason = failure?.reason ?? ""
                #expect(!reason.isEmpty && !reason.contains(value) && !reason.contains(SigningKind.right), "\(name)")
                #expect(!reason.contains(SigningKind.other))
            }
        }
    }
}
