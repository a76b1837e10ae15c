// SPDX-License-Identifier: Apache-2.0
// One request of a sender as a fixture, and what it must come to.

import Foundation
import Model

struct SentCase: Sendable {
    /// What one item of the request must come to.
    struct Item: Sendable {
        enum Action: String, Sendable { case provision, revoke, ignore, wait }

        let action: Action
        var isQuarantined = false
        let user: String?
        /// The fixture's name of it. Nil with `revoke`: everywhere.
        let tenant: String?
    }

    /// A vector that the sender has published has a secret and a clock of its own.
    struct KnownAnswer: Sendable {
        let secret: String
        let clock: Date
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
    let knownAnswer: KnownAnswer?

    init(_ json: JSONValue, _ name: String, body: [UInt8]) {
        self.name = "\(name) \(json["file"]?.string ?? "")"
        self.body = body
        self.headers = Self.texts(json["headers"])
        self.method = json["method"]?.string ?? "POST"
        self.isProven = json["proof"]?.string == "ok"
        self.status = Self.number(json["answer"]) ?? 0
        self.answerBody = json["answer_body"]?.string
        self.answerHeaders = Self.texts(json["answer_headers"])
        self.items = Self.items(json["expect"])
        self.itemsOfFixed = Self.items(json["expect_fixed"])
        self.knownAnswer = json["known_answer"]?["secret"]?.string.map { secret in
            let clock = Self.number(json["known_answer"]?["clock"]).map { Date(timeIntervalSince1970: Double($0)) }
            return KnownAnswer(secret: secret, clock: clock ?? SenderStoryTests.clock)
        }
    }

    init(_ name: String, body: [UInt8], headers: [String: String], status: Int, items: [Item]) {
        self.name = name
        self.body = body
        self.headers = headers
        self.method = "POST"
        self.isProven = true
        self.status = status
        self.answerBody = nil
        self.answerHeaders = [:]
        self.items = items
        self.itemsOfFixed = []
        self.knownAnswer = nil
    }

    var hasLineBreak: Bool { self.headers.values.contains { $0.utf8.contains(0x0A) } }

    /// Whether a client sends such headers. Two cases have control characters.
    var isSendable: Bool { self.headers.values.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } } }

    private static func number(_ json: JSONValue?) -> Int? {
        guard case .number(let text)? = json else { return nil }
        return Int(text)
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
