// SPDX-License-Identifier: Apache-2.0
// What a source is made with decides its form, its tenants and its kind; what does not fit together is refused.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SourceTermsTests {
    private static func terms(
        _ preset: String, _ text: String? = nil, tenant: String? = nil, allowed: [String] = []
    ) throws -> SourceTerms {
        try SourceTerms(
            preset: preset, text.map { Array($0.utf8) }, tenant: tenant.map { try TenantID($0) },
            allowed: allowed.map { try TenantID($0) })
    }

    @Test func `the standard sender without a configuration has its own reader`() throws {
        let terms = try Self.terms("standard", tenant: "acme")
        #expect(Self.isCanonical(terms) && terms.tenant?.rawValue == "acme" && !terms.isTracked)
        let configured = try Self.terms("standard", #"{"grammar":1}"#, tenant: "acme")
        #expect(!Self.isCanonical(configured))
    }

    private static func isCanonical(_ terms: SourceTerms) -> Bool {
        if case .canonical = terms.form { true } else { false }
    }

    @Test(arguments: Presets.names.filter { $0 != "standard" })
    func `every preset is made with one tenant, with several, and with a table`(preset: String) throws {
        let fixed = try Self.terms(preset, tenant: "acme")
        #expect(fixed.tenant?.rawValue == "acme" && fixed.allowed.isEmpty && !fixed.isTracked)
        let allowed = try Self.terms(preset, allowed: ["globex", "acme"])
        #expect(allowed.tenant == nil && allowed.allowed.map(\.rawValue) == ["acme", "globex"])
        let table = try Self.terms(preset, #"{"grammar":1,"tenant":"table"}"#)
        #expect(table.tenant == nil && table.allowed.isEmpty && table.isTracked)
    }

    @Test func `a table may belong to one tenant`() throws {
        let terms = try Self.terms("clerk", #"{"grammar":1,"tenant":"table"}"#, tenant: "acme")
        #expect(terms.tenant?.rawValue == "acme" && terms.isTracked)
        let fixed = try Self.terms("clerk", #"{"grammar":1,"tenant":{"fixed":"acme"}}"#)
        #expect(fixed.tenant?.rawValue == "acme" && !fixed.isTracked)
    }

    @Test func `where arrival counts, a source of several tenants keeps facts, and one of a fixed tenant is refused`()
        throws
    {
        let text = { (order: String) in
            """
            {"grammar":1,"proofs":[{"kind":"bearer"}],"user_id":"/id","organization":"/org","order":"\(order)",
             "rules":[{"person":"live","membership":"live"}]}
            """
        }
        #expect(try Self.terms("custom", text("arrival"), allowed: ["acme"]).isTracked)
        #expect(try !Self.terms("custom", text("sender"), allowed: ["acme"]).isTracked)
        #expect(try !Self.terms("custom", text("sender"), tenant: "acme").isTracked)
        let error = #expect(throws: InvalidValue.self) {
            try Self.terms("custom", text("arrival"), tenant: "acme")
        }
        #expect(error?.field == "/rules/0")
    }

    @Test(
        arguments: [
            ("svix", #"{"grammar":1}"#, nil, [], "/tenant"),
            ("clerk", #"{"grammar":1,"tenant":{"fixed":"globex"}}"#, "acme", [], "/tenant"),
            ("clerk", #"{"grammar":1,"tenant":{"allow":["globex"]}}"#, "acme", [], "/tenant"),
            ("clerk", #"{"grammar":1,"tenant":{"allow":["globex"]}}"#, nil, ["acme"], "/tenant"),
            ("clerk", #"{"grammar":1,"tenant":"table"}"#, nil, ["acme"], "/tenant"),
            ("clerk", #"{"grammar":1,"preset":"workos"}"#, nil, [], "/preset"),
            ("custom", #"{"grammar":1,"preset":"workos"}"#, nil, [], "/preset"),
            ("custom", #"{"grammar":1,"tenant":"table","user_id":"/id","rules":[]}"#, nil, [], "/proofs"),
            ("clerk", #"{"grammar":1,"proofs":[]}"#, nil, [], "/proofs"),
            ("clerk", #"{"grammar":1,"prooofs":[]}"#, nil, [], "/prooofs"),
            ("clerk", #"{"grammar":1,"proofs":[{"kind":"none"}]}"#, nil, [], "/proofs/0.kind"),
        ] as [(String, String, String?, [String], String)])
    func `what does not fit together is refused with its place`(
        preset: String, text: String, tenant: String?, allowed: [String], place: String
    ) throws {
        let error = #expect(throws: InvalidValue.self) {
            try Self.terms(preset, text, tenant: tenant, allowed: allowed)
        }
        #expect(error?.field.hasPrefix(place) == true, "\(String(describing: error))")
    }
}
