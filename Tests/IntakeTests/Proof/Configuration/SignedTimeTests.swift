// SPDX-License-Identifier: Apache-2.0
// A source signs a time when no proof of it would take an old delivery; the ledger then needs no guard of its own.

import Foundation
import Model
import TestSupport
import Testing

@testable import Intake

@Suite struct SignedTimeTests {
    private static let bearer = #"{"kind": "bearer"}"#
    private static let standard = #"{"kind": "standard-webhooks"}"#

    private static func signed(_ timestamp: String) -> String {
        """
        {"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature", "key": "v1",
         "timestamp": {"key": "t", "unit": "s", "tolerance": 300\(timestamp)}, "content": "{timestamp}.{body}"}
        """
    }

    @Test(arguments: [
        (Self.standard, true), (Self.bearer, false), (Self.signed(""), true),
        (Self.signed(#", "ahead": "any""#), false),
        (#"{"kind": "hmac", "hash": "sha256", "encoding": "hex", "header": "x-signature"}"#, false),
        (#"{"any": [\#(Self.standard), \#(Self.bearer)]}"#, false),
    ])
    func `one proof that takes an old delivery is enough to replay it`(_ text: String, _ signsTime: Bool) throws {
        let proofs = try ProofConfiguration(try JSONValue(parsing: Array(text.utf8)))
        #expect(proofs.signsTime == signsTime)
    }

    /// The migration that brings in the column has the same list.
    @Test func `the presets whose proofs sign a time are those of the data page`() {
        let timed = Presets.names.filter { name in
            (try? SourceTerms(preset: name, nil, tenant: testTenant, allowed: []))?.proofs.signsTime == true
        }
        #expect(
            timed.sorted() == [
                "clerk", "cognito", "standard", "stytch", "stytch-consumer", "supabase-hook", "svix", "workos",
            ])
    }
}
