// SPDX-License-Identifier: Apache-2.0
// Each preset is a configuration like a user's own, and says what its source needs.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct PresetsTests {
    @Test(arguments: Presets.names)
    func `a preset can be read, and says how its sender is proven`(name: String) throws {
        let configuration = try SourceConfiguration(Array(#"{"grammar":1,"preset":"\#(name)"}"#.utf8))
        #expect(configuration.section["name"] == .string(name))
        let mapping = try Mapping(configuration, tenants: .fixed(TenantID("acme")))
        guard case .array(let proofs)? = mapping.proofs else { throw SenderFolder.Missing("proofs") }
        #expect(!proofs.isEmpty && proofs.allSatisfy { $0["kind"]?.string != nil })
        #expect(configuration.setup != nil, "it says where the secret goes")
    }

    @Test func `a sender that makes the secret is known, and other proofs are not told the preset's words`() throws {
        let senders = try Presets.names.filter { name in
            try SourceConfiguration(nil, preset: name).setup?.maker == .sender
        }
        #expect(senders == ["clerk", "stytch", "stytch-consumer", "svix", "workos"])
        let other = #"{"grammar":1,"preset":"clerk","proofs":[{"kind":"bearer"}]}"#
        #expect(try SourceConfiguration(Array(other.utf8)).setup == nil)
        for setup in [#"{}"#, #"{"secret":"me","text":"x"}"#, #"{"secret":"sender","text":"a\nb"}"#, #"{"secrt":"x"}"#]
        {
            let error = #expect(throws: InvalidValue.self) {
                try SourceConfiguration(Array(#"{"grammar":1,"setup":\#(setup)}"#.utf8))
            }
            #expect(error?.field.hasPrefix("/setup") == true)
        }
    }

    @Test func `each file of the folder is a preset`() throws {
        let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Sources/Intake/Presets")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.standardized.path)
        #expect(files.sorted() == Presets.names.map { "\($0).json" }.sorted())
    }

    @Test(arguments: [
        ("clerk", true), ("auth0", true), ("workos", true), ("okta", true), ("keycloak", false), ("stytch", true),
        ("cognito", true), ("supabase-db", true), ("supabase-hook", true), ("svix", false), ("standard", false),
    ])
    func `a preset's people wait for a membership where an event may lack the organisation`(
        name: String, waits: Bool
    ) throws {
        let configuration = try SourceConfiguration(Array(#"{"grammar":1,"preset":"\#(name)"}"#.utf8))
        #expect(try Mapping(configuration, tenants: .table).waitsForMembership == waits)
        let fixed = try Mapping(configuration, tenants: .fixed(TenantID("acme")))
        #expect(!fixed.waitsForMembership && !fixed.isTracked)
        #expect(try Mapping(configuration, tenants: .allowed([TenantID("acme")])).isTracked == waits)
    }

    @Test func `before-events and visitors without an account are taken only by an option`() throws {
        let before = #"{"metadata":{"name":"before-user-created"},"user":{"id":"u"}}"#
        let visitor = #"{"metadata":{"name":"after-user-created"},"user":{"id":"u","is_anonymous":true}}"#
        let fixed = TenantChoice.fixed(try TenantID("acme"))
        for (body, reason, option) in [
            (before, IgnoreReason.beforeEvent, "before_events"), (visitor, .anonymous, "anonymous"),
        ] {
            let members = #""preset":"supabase-hook""#
            #expect(try MappingBed.items(members, body, tenants: fixed) == [.ignored(reason)])
            let items = try MappingBed.items(members + #","options":["\#(option)"]"#, body, tenants: fixed)
            #expect(items.first?.word?.ofPerson == .live)
        }
    }

    @Test func `a tenant that is given later, or changed, comes by an update of the row`() throws {
        let row = { (tenant: String) in
            #"{"id":"u","updated_at":"2026-11-23T11:00:00Z","raw_app_meta_data":{\#(tenant)}}"#
        }
        let update = { (old: String, new: String) in
            #"{"type":"UPDATE","schema":"auth","table":"users","record":\#(row(new)),"old_record":\#(row(old))}"#
        }
        let (acme, globex) = (#""tenant_id":"acme""#, #""tenant_id":"globex""#)
        let allowed = TenantChoice.allowed([try TenantID("acme"), try TenantID("globex")])
        let said = { (old: String, new: String) throws in
            try MappingBed.items(#""preset":"supabase-db""#, update(old, new), tenants: allowed).map { item in
                item.word.map { "\($0.ofMembership?.rawValue ?? "") \($0.organization ?? "")" } ?? "no word"
            }
        }
        #expect(try said("", acme) == ["live acme"])
        #expect(try said(acme, globex) == ["gone acme", "live globex"])
        #expect(try said(acme, "") == ["gone acme"])
        #expect(try said(acme, acme) == ["no word"])
    }
}
