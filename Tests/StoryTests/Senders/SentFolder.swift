// SPDX-License-Identifier: Apache-2.0
// The payloads of one sender as fixtures: how its source is made, and what each request must come to.

import Foundation
import Model

/// A folder of `IntakeTests/Fixtures/senders`. Its sender has a preset, or a configuration in `Fixtures/sources`.
struct SentFolder: Sendable {
    /// How a source of the sender comes to a tenant.
    enum Tenants: Sendable {
        /// The canonical event names one of those that the source may name.
        case named
        /// A table leads from the sender's organisations to tenants.
        case table
        /// All users are one tenant's.
        case fixed
    }

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("IntakeTests/Fixtures")
    /// Presets that are called otherwise than their folder.
    private static let presets = ["auth0-events": "auth0", "stytch-b2b": "stytch"]

    let name: String
    /// Nil: the configuration says everything.
    let preset: String?
    private let own: String?
    private let expected: JSONValue

    init(_ name: String) throws {
        self.name = name
        let own = try? Self.text("sources/\(name).json")
        self.own = own
        self.preset = own?.contains("\"preset\"") == false ? nil : Self.preset(name)
        // Our reader refuses NUL everywhere. One case has it in a header.
        let text = try Self.text("senders/\(name)/expected.json").replacing("\\u0000", with: "\\u0001")
        self.expected = try JSONValue(parsing: Array(text.utf8))
    }

    private static func preset(_ name: String) -> String { name == "hookdeck" ? "clerk" : self.presets[name] ?? name }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.fixtures.appendingPathComponent(path), encoding: .utf8)
    }

    /// All folders, by name.
    static func all() throws -> [SentFolder] {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: Self.fixtures.appendingPathComponent("senders").path)
        return try names.filter { $0 != "README.md" }.sorted().map { try SentFolder($0) }
    }

    /// The key sets that senders publish, each at the path of its address behind the server's name.
    static func keySets() throws -> [String: [UInt8]] {
        var sets: [String: [UInt8]] = [:]
        for name in ["firebase", "fusionauth", "keycloak", "kinde"] {
            sets["/\(name).example/keys"] = Array(try Self.text("senders/\(name)/jwks.json").utf8)
        }
        return sets
    }

    // MARK: The source

    var tenants: Tenants {
        switch self.name {
        case "standard": .named
        case "svix", "convoy": .fixed
        default: .table
        }
    }

    /// Nil: the preset says everything, or the source has one tenant and no configuration of its own.
    func configuration(_ tenants: Tenants) -> [UInt8]? {
        guard let own = self.own else {
            guard case .table = tenants, let preset = self.preset else { return nil }
            return Array("{\"grammar\":1,\"preset\":\"\(preset)\",\"tenant\":\"table\"}".utf8)
        }
        let member = #/"tenant": (?:"table"|\{[^}]*\}),/#
        return Array(own.replacing(member, with: tenants == .table ? #""tenant": "table","# : "").utf8)
    }

    /// The sender's secrets, as the fixture's `config` has them.
    var secrets: [[UInt8]] { (Self.secrets[self.name] ?? []).map { Array($0.utf8) } }

    /// Whether a proof may hold by a key that the sender publishes, and so by no secret.
    var publishesKeys: Bool { self.own?.contains("\"jwks\"") == true }

    /// The sender's organisations and the tenants that they stand for. A tenant may be named as it is.
    var organizations: [(name: String, tenant: String)] {
        let named = [(name: "acme", tenant: "acme"), (name: "globex", tenant: "globex")]
        let tenant = self.expected["config"]?["tenant"]
        guard case .object(let members)? = tenant?["map"] else { return named }
        let mapped = members.compactMap { member in member.value.string.map { (name: member.key, tenant: $0) } }
        guard case .array(let allowed)? = tenant?["allow"] else { return mapped }
        return mapped + named.filter { allowed.contains(.string($0.name)) }
    }

    private static let first = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let secrets = [
        "auth0-events": ["a0-stream-token-made-up-4f1c9d"], "auth0-logs": ["a0-stream-token-made-up-4f1c9d"],
        "clerk": [first], "cloudevents": ["made-up-ce-token-31"], "cognito": [first],
        "convoy": ["made-up-convoy-secret"], "descope": ["made-up-descope-bearer", "made-up-descope-hmac"],
        "frontegg": ["made-up-frontegg-secret"], "fusionauth": ["made-up-fusionauth-hmac-key-of-32-bytes!"],
        "github": ["made-up-github-secret"], "hookdeck": ["made-up-hookdeck-secret-1", "made-up-hookdeck-secret-2"],
        "keycloak": ["made-up-kc-secret"], "kratos": ["made-up-kratos-key-11"],
        "logto": ["made-up-logto-signing-key"], "okta": ["okta-made-up-secret-8d2e"], "propelauth": [first],
        "standard": [
            first, "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
        ],
        "stripe": ["whsec_madeUpStripe0001", "whsec_madeUpStripe0002"], "stytch-b2b": [first],
        "stytch-consumer": [first], "supabase-db": ["made-up-header-value-77aa"],
        "supabase-hook": ["v1,whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX"], "svix": [first],
        "workos": ["madeUpWorkosSecret0000000"], "zitadel": ["made-up-zitadel-signing-key"],
    ]

    // MARK: Its requests

    /// Every case of the folder, in its order.
    func cases() throws -> [SentCase] {
        guard case .array(let cases)? = self.expected["cases"] else { return [] }
        return try cases.enumerated().map { number, json in
            SentCase(json, "\(self.name)[\(number)]", body: try self.body(json))
        }
    }

    private func body(_ json: JSONValue) throws -> [UInt8] {
        guard let file = json["file"]?.string, !file.hasSuffix(".http") else { return [] }
        return Array(try Data(contentsOf: Self.fixtures.appendingPathComponent("senders/\(self.name)/\(file)")))
    }

    /// A whole request of the folder, which no case names: its head and its body.
    func request(_ file: String, _ item: SentCase.Item) throws -> SentCase {
        let text = try Self.text("senders/\(self.name)/\(file)").replacing("\r\n", with: "\n")
        let end = text.range(of: "\n\n") ?? text.endIndex..<text.endIndex
        var headers: [String: String] = [:]
        for line in text[..<end.lowerBound].split(separator: "\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let name = parts[0].lowercased()
            guard parts.count == 2, name != "host", name != "content-length" else { continue }
            headers[name] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        return SentCase(
            "\(self.name) \(file)", body: Array(text[end.upperBound...].utf8), headers: headers, status: 202,
            items: [item])
    }
}
