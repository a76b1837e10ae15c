// SPDX-License-Identifier: Apache-2.0
// Every delivery of the 27 senders is proven or refused as its sender's material says.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SenderProofTests {
    private func bed(
        _ sender: SenderProof, secrets: [String]? = nil, at clock: TimeInterval = SenderCase.usualClock
    ) async throws -> ProofBed {
        let configuration = try sender.configuration()
        let hasKeys = configuration.contains(#""jwks""#)
        let keySet = hasKeys ? String(decoding: try SenderCase.file("jwks.json", of: sender.name), as: UTF8.self) : nil
        return try await ProofBed(
            configuration, secrets: (secrets ?? sender.secrets).map { ProofBed.secret($0) }, keySet: keySet,
            readAt: clock)
    }

    @Test func `every sender with payloads has a proof here`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: SenderCase.folder.path)
        #expect(Set(folders).subtracting(["README.md"]) == Set(SenderProof.all.map(\.name)))
        #expect(SenderProof.all.count == 27)
    }

    @Test(arguments: SenderProof.all.map(\.name))
    func `every delivery comes out as it says`(name: String) async throws {
        let sender = try #require(SenderProof.all.first { $0.name == name })
        let cases = try SenderCase.all(of: name)
        #expect(!cases.isEmpty)
        for one in cases {
            let bed = try await self.bed(sender, secrets: one.ownSecret.map { [$0] }, at: one.clock)
            let refusal = bed.refusal(one.headers.mapValues { [$0] }, body: try one.body(), now: one.clock)
            #expect((refusal == nil) == one.isProven, "\(one): \(refusal?.rawValue ?? "proven")")
        }
    }

    @Test(arguments: SenderProof.all.map(\.name))
    func `no delivery is proven by another secret, for another body, or at another time`(name: String) async throws {
        let sender = try #require(SenderProof.all.first { $0.name == name })
        let bed = try await self.bed(sender)
        let strange = try await self.bed(sender, secrets: sender.secrets.map(Self.another))
        for one in try SenderCase.all(of: name) where one.isProven && one.ownSecret == nil {
            let headers = one.headers.mapValues { [$0] }
            let body = try one.body()
            // Published keys stay, whatever the secret is.
            if !(try sender.configuration().contains(#""jwks""#)) {
                #expect(strange.refusal(headers, body: body, now: one.clock) != nil, "\(one): another secret")
            }
            if !one.showsSecret {
                for other in [[], [0x20] + body.dropFirst(), body.dropLast()] {
                    #expect(bed.refusal(headers, body: Array(other), now: one.clock) != nil, "\(one): another body")
                }
            }
            if one.coversTime {
                #expect(bed.refusal(headers, body: body, now: one.clock + 301) == .expired, "\(one): later")
                #expect(bed.refusal(headers, body: body, now: one.clock - 301) == .ahead, "\(one): earlier")
            }
        }
    }

    /// Another text or key of the same form.
    private static func another(_ secret: String) -> String {
        var bytes = Array(secret.utf8)
        let place = bytes.count - 6
        bytes[place] = bytes[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        return String(decoding: bytes, as: UTF8.self)
    }
}
