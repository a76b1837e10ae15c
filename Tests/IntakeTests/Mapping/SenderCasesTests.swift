// SPDX-License-Identifier: Apache-2.0
// The payloads of 27 senders come to what their senders mean.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SenderCasesTests {
    @Test(arguments: SenderFolder.names)
    func `every proven request comes to what its sender means`(name: String) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(), tenants: folder.tenants())
        let cases = try folder.cases.filter { $0.isProven && $0.method == "POST" }
        #expect(!cases.isEmpty)
        for one in cases {
            Self.expect(mapping.read(one.request), one.json["expect"], one.name, folder.map)
        }
    }

    @Test(arguments: ["auth0-events", "auth0-logs", "clerk", "logto", "okta", "propelauth", "workos"])
    func `a source with one fixed tenant takes users and passes memberships`(name: String) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(), tenants: .fixed(TenantID("acme")))
        let cases = try folder.cases.filter { $0.json["expect_fixed"] != nil }
        #expect(!cases.isEmpty)
        for one in cases {
            Self.expect(mapping.read(one.request), one.json["expect_fixed"], one.name, folder.map)
        }
    }

    @Test(arguments: [
        ("clerk", "bans"), ("auth0-logs", "management"), ("workos", "directory"), ("fusionauth", "applications"),
    ])
    func `an option takes events that are passed otherwise`(name: String, option: String) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(options: [option]), tenants: folder.tenants())
        let map = folder.map.merging(["a0a00000-0000-4000-8000-000000000001": "acme"]) { old, _ in old }
        let cases = try folder.cases.filter { $0.json["expect_option"] != nil }
        #expect(!cases.isEmpty)
        for one in cases {
            Self.expect(mapping.read(one.request), one.json["expect_option"]?["expect"], one.name, map)
        }
    }

    private static func expect(
        _ mapped: MappedRequest, _ expected: JSONValue?, _ name: String, _ map: [String: String]
    ) {
        let found = mapped.deliveries.flatMap { delivery in
            delivery.items.map { ItemOutcome(deliveryID: delivery.id, item: $0, map: map) }
        }
        let wanted = MappedCase.outcomes(expected)
        if found.isEmpty {
            #expect(wanted.map { $0["action"] } == [.string("ignore")], "\(name)")
            return
        }
        #expect(found.count == wanted.count, "\(name)")
        for (item, outcome) in zip(found, wanted) {
            #expect(item.difference(from: outcome) == nil, "\(name)")
        }
    }

    @Test(arguments: ["cognito", "supabase-hook", "hookdeck"])
    func `an event that is sent again has the same id again`(name: String) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(), tenants: folder.tenants())
        let again = try folder.cases.filter { $0.json["duplicate_of"] != nil }
        #expect(!again.isEmpty)
        for one in again {
            let first = try #require(try folder.cases.first { $0.body == one.body && $0.isProven })
            #expect(mapping.read(one.request) == mapping.read(first.request), "\(one.name)")
        }
    }

    @Test(arguments: ["okta", "cloudevents"])
    func `a handshake is answered, and gives no line break or control character back`(name: String) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(), tenants: folder.tenants())
        let cases = try folder.cases.filter { $0.isProven && $0.method != "POST" }
        #expect(!cases.isEmpty)
        for one in cases {
            let handshake = try #require(mapping.handshake(one.method), "\(one.name)")
            let answer = handshake.answer(one.headers)
            #expect(.number("\(answer.status)") == one.json["answer"], "\(one.name)")
            if let body = one.json["answer_body"]?.string { #expect(answer.body == body) }
            guard case .object(let headers)? = one.json["answer_headers"] else { continue }
            for header in headers {
                #expect(answer.headers.first { $0.name == header.key }?.value == header.value.string)
            }
        }
    }

    @Test func `a CloudEvent in binary mode is read of its headers`() throws {
        let folder = try SenderFolder("cloudevents")
        let parts = try folder.request("binary.created.http").replacing("\r\n", with: "\n").split(
            separator: "\n\n", maxSplits: 1)
        var headers: [String: [String]] = [:]
        for line in parts[0].split(separator: "\n").dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            headers[pair[0].lowercased()] = [pair[1]]
        }
        let mapping = try Mapping(folder.configuration(), tenants: folder.tenants())
        let request = MappingBed.request(String(parts[1]).trimmingCharacters(in: .newlines), headers: headers)
        let delivery = try #require(mapping.read(request).deliveries.first)
        let word = try #require(delivery.items.first?.word)
        #expect(delivery.id == #"["urn:madeup:idp","e-2"]"#)
        #expect(word.person.rawValue == "u|78 Ż")
        #expect(word.tenant == TenantID(rawValue: "globex"))
        #expect(word.moment == .at(MappedCase.clock - 29.875))
    }

    @Test func `what is kept of a body has no secret in it`() throws {
        for name in SenderFolder.names {
            let folder = try SenderFolder(name)
            let mapping = try Mapping(folder.configuration(), tenants: folder.tenants())
            for one in try folder.cases {
                let kept = mapping.keeping.kept(of: one.body).map { String(decoding: $0, as: UTF8.self) } ?? ""
                let (_, steps) = mapping.trace(one.request)
                #expect(!kept.contains("CANARY") && !"\(steps)".contains("CANARY"), "\(one.name)")
            }
        }
    }

    @Test(arguments: [
        ("clerk", "user.created.google.json", nil as String?, "zolc@example.com" as String?),
        ("clerk", "user.created.json", "Mira Test", "mira@example.com"),
        ("clerk", "user.created.phone-only.json", nil, nil),
        ("workos", "user.created.json", "Mira Test", "mira@example.com"),
        ("okta", "user.lifecycle.create.json", "New User", "new@example.com"),
        ("zitadel", "user.human.added.json", "Pia Łoś", "pia@example.com"),
        ("stytch-consumer", "direct.user.create.json", "Tai Example", "tai@example.com"),
        ("supabase-db", "auth.users.INSERT.json", "Kei", "kei@example.com"),
        ("auth0-events", "user.created.saml.json", "jo@example.com", nil),
    ])
    func `a name and an address are found where their sender writes them`(
        name: String, file: String, displayName: String?, email: String?
    ) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(), tenants: folder.tenants(), keepsPersonal: true)
        let one = try #require(try folder.cases.first { $0.json["file"]?.string == file && $0.isProven })
        let word = try #require(mapping.read(one.request).deliveries.first?.items.first?.word)
        #expect(word.email == email)
        if file != "user.created.google.json" { #expect(word.displayName == displayName) }
    }

    @Test(arguments: SenderFolder.names.filter { $0 != "standard" })
    func `each request is answered as its sender understands`(name: String) throws {
        let folder = try SenderFolder(name)
        let mapping = try Mapping(folder.configuration(), tenants: folder.tenants())
        for one in try folder.cases where one.isProven && one.method == "POST" {
            let mapped = mapping.read(one.request)
            let items = mapped.deliveries.flatMap(\.items)
            let isIgnored = items.allSatisfy { if case .ignored = $0 { true } else { false } }
            let outcome: SenderAnswers.Outcome =
                isIgnored ? .ignored : items.contains { $0.unusable != nil } ? .quarantined : .accepted
            let answer = mapped.answer ?? mapping.answers[outcome]
            // Any 2xx is as good as another one, where the sender does not wait for a certain one.
            let isParticular = ["supabase-hook", "firebase"].contains(name)
            let isAsExpected = .number("\(answer.status)") == one.json["answer"]
            #expect(isParticular ? isAsExpected : (200...299).contains(answer.status), "\(one.name)")
            if let body = one.json["answer_body"]?.string {
                #expect(answer.body == body && answer.contentType == "application/json", "\(one.name)")
            }
        }
    }
}
