// SPDX-License-Identifier: Apache-2.0
// The payloads of one sender as fixtures, and what each of them must come to.

import Foundation
import Model

@testable import Intake

/// A folder of `Fixtures/senders`, and the configuration by which a source reads it.
struct SenderFolder {
    static let names = [
        "auth0-events", "auth0-logs", "clerk", "cloudevents", "cognito", "convoy", "descope", "firebase", "frontegg",
        "fusionauth", "github", "hookdeck", "keycloak", "kinde", "kratos", "logto", "okta", "propelauth", "standard",
        "stripe", "stytch-b2b", "stytch-consumer", "supabase-db", "supabase-hook", "svix", "workos", "zitadel",
    ]
    /// Presets that are called otherwise than their folder.
    private static let presets = ["auth0-events": "auth0", "stytch-b2b": "stytch"]
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    let name: String
    let expected: JSONValue

    init(_ name: String) throws {
        self.name = name
        self.expected = try Self.json(Self.fixtures.appendingPathComponent("senders/\(name)/expected.json"))
    }

    var cases: [MappedCase] {
        get throws {
            guard case .array(let cases)? = self.expected["cases"] else { throw Missing("cases of \(self.name)") }
            return try cases.enumerated().map { number, json in
                try MappedCase(json, "\(self.name)[\(number)]", body: self.bytes("senders/\(self.name)", json))
            }
        }
    }

    /// A test's own configuration, or the preset with that name.
    func configuration(options: [String] = []) throws -> SourceConfiguration {
        let own = Self.fixtures.appendingPathComponent("sources/\(self.name).json")
        var members: [(key: String, value: JSONValue)] = [
            ("grammar", .number("1")), ("preset", .string(Self.presets[self.name] ?? self.name)),
        ]
        if FileManager.default.fileExists(atPath: own.path), case .object(let read) = try Self.json(own) {
            members = read
        }
        if !options.isEmpty { members.append(("options", .array(options.map(JSONValue.string)))) }
        return try SourceConfiguration(Array(SenderFolder.text(.object(members)).utf8))
    }

    /// The sender's organisations and our tenants. Where a tenant may be named as it is, it leads to itself.
    var map: [String: String] {
        var map: [String: String] = [:]
        if case .object(let members)? = self.expected["config"]?["tenant"]?["map"] {
            for member in members { map[member.key] = member.value.string }
        }
        for tenant in self.allowed { map[tenant] = tenant }
        return map
    }

    private var allowed: [String] {
        guard case .array(let names)? = self.expected["config"]?["tenant"]?["allow"] else { return [] }
        return names.compactMap(\.string).filter { TenantID(rawValue: $0) != nil && !$0.contains("-") }
    }

    /// How the case's source comes to a tenant: what the folder's `config` means.
    func tenants() throws -> TenantChoice {
        let tenant = self.expected["config"]?["tenant"]
        if tenant?["map"] != nil { return .table }
        if self.name == "svix" || self.name == "convoy" { return .fixed(try TenantID("acme")) }
        return .allowed([try TenantID("acme"), try TenantID("globex")])
    }

    private func bytes(_ folder: String, _ json: JSONValue) throws -> [UInt8] {
        guard let file = json["file"]?.string else { throw Missing("a file in \(folder)") }
        return Array(try Data(contentsOf: Self.fixtures.appendingPathComponent("\(folder)/\(file)")))
    }

    /// Returns a whole request of the folder.
    func request(_ file: String) throws -> String {
        try String(contentsOf: Self.fixtures.appendingPathComponent("senders/\(self.name)/\(file)"), encoding: .utf8)
    }

    private static func json(_ url: URL) throws -> JSONValue {
        // Our reader refuses NUL everywhere. One case has it in a header, where any control character does as well.
        let text = try String(contentsOf: url, encoding: .utf8).replacing("\\u0000", with: "\\u0001")
        return try JSONValue(parsing: Array(text.utf8))
    }

    /// Writes a value as JSON.
    static func text(_ json: JSONValue) -> String {
        switch json {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text): text
        case .string(let text): JSONText.quoted(text)
        case .array(let values): "[\(values.map(Self.text).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\(JSONText.quoted($0.key)):\(Self.text($0.value))" }.joined(separator: ","))}"
        }
    }

    struct Missing: Error {
        let what: String
        init(_ what: String) { self.what = what }
    }
}
