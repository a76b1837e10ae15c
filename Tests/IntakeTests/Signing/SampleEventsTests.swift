// SPDX-License-Identifier: Apache-2.0
// Each preset has sample events, and its own mapping reads them as the sender means them.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SampleEventsTests {
    private static let filling = SampleFilling(user: #"u|"{time}é"#, organization: "acme", now: MappingBed.now) {
        UUID().uuidString.lowercased()
    }

    private func words(_ event: String, of preset: String) throws -> [Word] {
        let samples = try SampleEvents(preset: preset)
        let mapping = try Mapping(
            try SourceConfiguration(nil, preset: preset), tenants: .allowed([try TenantID("acme")]))
        return try samples.names(of: event).flatMap { name in
            let draft = samples.draft(of: name, id: nil, filled: Self.filling)
            let headers = Dictionary(grouping: draft.headers, by: \.name).mapValues { $0.map(\.value) }
            let request = ProvenRequest(
                headers: { headers[$0] ?? [] }, body: draft.body, receivedAt: MappingBed.now, provenID: draft.id)
            let items = mapping.read(request).deliveries.flatMap(\.items)
            #expect(items.count == 1 && items.allSatisfy(\.isWord), "\(preset) \(name): \(items)")
            return items.compactMap(\.word)
        }
    }

    @Test func `each file of the folder is the sample of a preset`() throws {
        let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Sources/Intake/Samples")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.standardized.path)
        #expect(files.sorted() == Presets.names.map { "\($0).event.json" }.sorted())
    }

    @Test(arguments: Presets.names)
    func `a sign-up makes a person and a member of the organisation`(preset: String) throws {
        let words = try self.words("created", of: preset)
        #expect(words.contains { $0.ofPerson == .live } && words.contains { $0.ofMembership == .live })
        #expect(words.allSatisfy { $0.person.description == #"u|"{time}é"# }, "the user stands where the sender has it")
        #expect(words.contains { ($0.tenant?.rawValue ?? $0.organization) == "acme" })
    }

    @Test(arguments: Presets.names.filter { $0 != "supabase-hook" })
    func `a deletion takes the person away`(preset: String) throws {
        #expect(try self.words("deleted", of: preset).map(\.ofPerson) == [.deleted])
        #expect(try SampleEvents(preset: preset).isTaking("deleted"))
    }

    @Test(arguments: ["auth0", "clerk", "okta", "workos"])
    func `a member who leaves is no member any more`(preset: String) throws {
        let samples = try SampleEvents(preset: preset)
        #expect(try self.words("removed", of: preset).map(\.ofMembership) == [.gone])
        #expect(try samples.names(of: "removed").allSatisfy { samples.isTaking($0) })
        #expect(try samples.names(of: "created").allSatisfy { !samples.isTaking($0) })
    }

    @Test(arguments: Presets.names)
    func `each event is strict JSON, with every blank filled in`(preset: String) throws {
        let samples = try SampleEvents(preset: preset)
        let filling = SampleFilling(user: "u-1", organization: "acme", now: MappingBed.now) { "0" }
        for name in samples.names {
            let draft = samples.draft(of: name, id: "given", filled: filling)
            #expect(draft.id == "given")
            let text = try JSONValue(parsing: draft.body).text
            #expect(text == String(decoding: draft.body, as: UTF8.self))
            #expect(text.contains("u-1") && text.firstMatch(of: /\{\w+\}/) == nil, "\(preset) \(name)")
            #expect(try samples.names(of: name) == [name])
        }
    }

    /// The fixtures are of the senders themselves.
    @Test(arguments: [
        ("clerk", "clerk"), ("svix", "svix"), ("stytch", "stytch-b2b"), ("stytch-consumer", "stytch-consumer"),
        ("standard", "standard"), ("cognito", "cognito"), ("supabase-hook", "supabase-hook"),
    ])
    func `the headers are called as the sender calls them`(preset: String, folder: String) throws {
        let first = try #require(try SenderFolder(folder).cases.first)
        let prefix = try SampleEvents(preset: preset).headerPrefix
        #expect(first.headers("\(prefix)-signature").count == 1)
    }

    @Test func `what a sender does not send is named, with what it does`() throws {
        let error = #expect(throws: InvalidValue.self) {
            try SampleEvents(preset: "supabase-hook").names(of: "deleted")
        }
        #expect(error?.reason == "is none of supabase-hook; there are: created, after-user-created")
        #expect(throws: InvalidValue.self) { try SampleEvents(preset: "clark") }
    }
}
