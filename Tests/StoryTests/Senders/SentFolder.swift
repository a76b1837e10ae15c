// SPDX-License-Identifier: Apache-2.0
// The payloads of one sender as fixtures: how its source is made, and what each request must come to.

import Foundation
import Model

/// A folder of `IntakeTests/Fixtures/senders` whose sender has a preset.
struct SentFolder: Sendable {
    /// The folders and their presets.
    static let presets = [
        "auth0-events": "auth0", "auth0-logs": "auth0-logs", "clerk": "clerk", "cloudevents": "cloudevents",
        "cognito": "cognito", "keycloak": "keycloak", "okta": "okta", "stytch-b2b": "stytch",
        "stytch-consumer": "stytch-consumer", "supabase-db": "supabase-db", "supabase-hook": "supabase-hook",
        "svix": "svix", "workos": "workos",
    ]
    private static let secrets = [
        "auth0-events": "a0-stream-token-made-up-4f1c9d", "auth0-logs": "a0-stream-token-made-up-4f1c9d",
        "cloudevents": "made-up-ce-token-31", "keycloak": "made-up-kc-secret", "okta": "okta-made-up-secret-8d2e",
        "supabase-db": "made-up-header-value-77aa", "supabase-hook": "v1,whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX",
        "workos": "madeUpWorkosSecret0000000",
    ]
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("IntakeTests/Fixtures")

    let name: String
    let preset: String
    private let expected: JSONValue

    init(_ name: String) throws {
        self.name = name
        self.preset = Self.presets[name] ?? name
        // Our reader refuses NUL everywhere. One case has it in a header, which no client sends.
        let text = try String(
            contentsOf: Self.fixtures.appendingPathComponent("senders/\(name)/expected.json"), encoding: .utf8)
        self.expected = try JSONValue(parsing: Array(text.replacing("\\u0000", with: "\\u0001").utf8))
    }

    var secret: [UInt8] {
        Array((Self.secrets[self.name] ?? "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").utf8)
    }

    /// Whether the sender's cases are about a source with one tenant.
    var isFixed: Bool { self.name == "svix" }

    /// The configuration of a source whose organisations become tenants by a table.
    func configuration() throws -> [UInt8] {
        let own = Self.fixtures.appendingPathComponent("sources/\(self.name).json")
        guard let text = try? String(contentsOf: own, encoding: .utf8) else {
            return Array("{\"grammar\":1,\"preset\":\"\(self.preset)\",\"tenant\":\"table\"}".utf8)
        }
        return Array(text.replacing(#""tenant": {"allow": ["acme", "globex"]}"#, with: #""tenant": "table""#).utf8)
    }

    /// The sender's organisations and the tenants that they stand for. A tenant may be named as it is.
    var organizations: [(name: String, tenant: String)] {
        guard case .object(let members)? = self.expected["config"]?["tenant"]?["map"] else {
            return [("acme", "acme"), ("globex", "globex")]
        }
        return members.compactMap { member in member.value.string.map { (member.key, $0) } }
    }

    /// Those that a client can send. A published example has a clock of its own, and a key set is at no public address.
    func cases() throws -> [SentCase] {
        guard case .array(let cases)? = self.expected["cases"] else { return [] }
        return try cases.enumerated().compactMap { number, json in
            guard json["known_answer"] == nil else { return nil }
            let one = SentCase(json, "\(self.name)[\(number)]", body: try self.body(json))
            let isOfKeySet = self.name == "keycloak" && one.isProven && one.headers["authorization"] != nil
            let isSendable = one.headers.values.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } }
            return isSendable && !isOfKeySet ? one : nil
        }
    }

    private func body(_ json: JSONValue) throws -> [UInt8] {
        guard let file = json["file"]?.string, !file.hasSuffix(".http") else { return [] }
        return Array(try Data(contentsOf: Self.fixtures.appendingPathComponent("senders/\(self.name)/\(file)")))
    }
}

/// One request of a sender.
struct SentCase: Sendable {
    /// What one item of the request must come to.
    struct Item: Sendable {
        enum Action: String, Sendable { case provision, revoke, ignore, wait }

        let action: Action
        let isQuarantined: Bool
        let user: String?
        /// The fixture's name of it. Nil with `revoke`: everywhere.
        let tenant: String?
    }

    let name: String
    let body: [UInt8]
    let headers: [String: String]
    let method: String
    let isProven: Bool
    let status: Int
    let answerBody: String?
    let answerHeaders: [String: String]
    let items: [Item]
    /// The same at a source with one tenant; empty where the fixture does not say.
    let itemsOfFixed: [Item]

    init(_ json: JSONValue, _ name: String, body: [UInt8]) {
        self.name = "\(name) \(json["file"]?.string ?? "")"
        self.body = body
        self.headers = Self.texts(json["headers"])
        self.method = json["method"]?.string ?? "POST"
        self.isProven = json["proof"]?.string == "ok"
        self.status = Self.number(json["answer"])
        self.answerBody = json["answer_body"]?.string
        self.answerHeaders = Self.texts(json["answer_headers"])
        self.items = Self.items(json["expect"])
        self.itemsOfFixed = Self.items(json["expect_fixed"])
    }

    private static func number(_ json: JSONValue?) -> Int {
        guard case .number(let text)? = json else { return 0 }
        return Int(text) ?? 0
    }

    private static func texts(_ json: JSONValue?) -> [String: String] {
        guard case .object(let members)? = json else { return [:] }
        var texts: [String: String] = [:]
        for member in members { texts[member.key.lowercased()] = member.value.string }
        return texts
    }

    private static func items(_ json: JSONValue?) -> [Item] {
        guard case .array(let values)? = json else { return json.flatMap(Self.item).map { [$0] } ?? [] }
        return values.compactMap(Self.item)
    }

    private static func item(_ json: JSONValue) -> Item? {
        guard let action = json["action"]?.string.flatMap(Item.Action.init(rawValue:)) else { return nil }
        return Item(
            action: action, isQuarantined: json["quarantine"] == .bool(true), user: json["user_id"]?.string,
            tenant: json["tenant"]?.string)
    }
}
