// SPDX-License-Identifier: Apache-2.0
// Tokens of any length and form cost no more than a bounded read, and several at once prove nothing.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct LongTokenTests {
    private static let configuration = """
        {"kind": "jwt", "header": "x-token", "scheme": "Bearer", "algorithms": ["ES256"],
         "jwks": "https://id.example.com/keys", "issuer": "any", "expiry": "optional",
         "body_hash": {"claim": "hash", "encoding": "hex"}}
        """

    private static func token(padding: Int) -> String {
        TestToken(claims: [
            "hash": "\"\(TokenVectors.hash)\"", "padding": "\"\(String(repeating: "x", count: padding))\"",
        ]).signed()
    }

    private func refusal(_ value: String) async throws -> ProofFailure.Kind? {
        let bed = try await ProofBed(Self.configuration, secrets: [], keySet: TestToken.keySet)
        return bed.refusal(["x-token": [value]], body: TokenVectors.body, now: TokenVectors.now)
    }

    @Test func `a token in a header has 16 KiB at most`() async throws {
        let room = CompactToken.maximumBytesInHeader - "Bearer ".utf8.count
        // Three letters stand for each four of the token.
        var padding = 3 * (room - Self.token(padding: 0).utf8.count) / 4
        while Self.token(padding: padding).utf8.count > room { padding -= 1 }
        #expect(try await self.refusal("Bearer \(Self.token(padding: padding))") == nil)
        for more in [3, 100, 100_000] {
            #expect(try await self.refusal("Bearer \(Self.token(padding: padding + more))") == .malformed)
        }
    }

    @Test func `a token's own header has 4 KiB at most`() async throws {
        let header = { (count: Int) in #"{"alg":"ES256","kid":"k1","x":"\#(String(repeating: "x", count: count))"}"# }
        for (count, kind) in [(3000, nil as ProofFailure.Kind?), (3072, .malformed), (9000, .malformed)] {
            var token = TestToken(claims: ["hash": "\"\(TokenVectors.hash)\""])
            token.writtenHeader = header(count)
            #expect(try await self.refusal("Bearer \(token.signed())") == kind, "\(count)")
        }
    }

    @Test func `several tokens in one header prove nothing`() async throws {
        let token = Self.token(padding: 1)
        #expect(try await self.refusal("Bearer \(token)") == nil)
        #expect(try await self.refusal("bearer  \(token)") == nil)
        for value in [
            "Bearer \(token), Bearer \(token)", "Bearer \(token) \(token)", "Bearer \(token),\(token)", token,
            "Basic \(token)", "Bearer\(token)", "Bearer \"\(token)\"", "Bearer <\(token)>", "Bearer \(token);",
            "Bearer \(token).", "Bearer .\(token)", "Bearer \(token)\u{0}", "Bearer \(token)=",
        ] {
            #expect(try await self.refusal(value) == .malformed, "\(value.prefix(20))…\(value.suffix(4))")
        }
    }

    /// Deep or many claims are read as strictly as any JSON.
    @Test(arguments: [
        String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
        "[\(Array(repeating: "1", count: 4000).joined(separator: ","))",
        "\"\\ud800\"", "\"\\u0000\"", "01", "NaN",
    ])
    func `claims that no strict reader takes are refused`(value: String) async throws {
        let token = TestToken(claims: ["hash": "\"\(TokenVectors.hash)\"", "x": value]).signed()
        #expect(try await self.refusal("Bearer \(token)") == .malformed)
    }

    @Test(arguments: ["[]", "null", "\"hash\"", "1", "", "{", "{}{}"])
    func `claims that are no object are refused`(claims: String) async throws {
        var token = TestToken(claims: [:])
        token.writtenClaims = claims
        #expect(try await self.refusal("Bearer \(token.signed())") == .malformed)
    }
}
