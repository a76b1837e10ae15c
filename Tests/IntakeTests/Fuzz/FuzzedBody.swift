// SPDX-License-Identifier: Apache-2.0
// What must hold of any body: the reader that passes members agrees with the strict one, and neither crashes.

import Foundation

@testable import Intake
@testable import Model

enum FuzzedBody {
    /// A body of a hook has this many bytes at most.
    private static let maximumBytes = 262_144

    /// Tries one made-up body.
    static func attempt(_ dice: inout FuzzDice) throws {
        if dice.chance(50) { try Self.requireMeaning(&dice) }
        let isOdd = dice.chance(30)
        var body = dice.chance(50) ? FuzzedJSON.object(&dice, isOdd: isOdd) : Self.event(&dice, isOdd: isOdd)
        if dice.chance(50) { dice.damage(&body) }
        try Self.requireAgreement(on: body)
    }

    /// Tries one body of the greatest length. A reader whose work grew with the square of it would take minutes.
    static func attemptLarge(_ dice: inout FuzzDice) throws {
        let parts = [
            "[", "{\"a\":", "{\"type\":[", "\"", "\\", "\"\\u0000", "[],", "{},", " ", "1,", "{\"data\":[{\"user_id\":",
        ]
        let part = Array(dice.one(of: parts).utf8)
        var body = Array("{\"type\":\"user.created\",\"x\":".utf8)
        while body.count + part.count <= Self.maximumBytes { body += part }
        try Self.requireAgreement(on: body)
        let members = (0..<20_000).map { "\"\(["type", "data", "x"][$0 % 3])\":1" }.joined(separator: ",")
        try Self.requireAgreement(on: Array("{\(members)}".utf8))
        let deep = FuzzedJSON.nest(levels: 80_000, around: "1")
        let event =
            Array("{\"type\":\"user.created\",\"x\":".utf8) + deep + Array(",\"data\":{\"user_id\":\"u\"}}".utf8)
        guard case .changes = try CanonicalEvent.read(event) else { throw FuzzFailure("a deep body is not read", []) }
    }

    /// A sign-up between odd members means what it means without them.
    private static func requireMeaning(_ dice: inout FuzzDice) throws {
        let user = dice.one(of: ["u-1", "auth0|5f", "é", "用户"])
        let tenant = dice.one(of: ["acme", "globex"])
        var data = Self.oddMembers(&dice)
        data.insert(Self.member("user_id", "\"\(user)\"", &dice), at: dice.upTo(data.count + 1))
        data.insert(Self.member("tenant_id", "\"\(tenant)\"", &dice), at: dice.upTo(data.count + 1))
        var event = Self.oddMembers(&dice)
        event.insert(Self.member("type", "\"user.created\"", &dice), at: dice.upTo(event.count + 1))
        let place = dice.upTo(event.count + 1)
        event.insert(FuzzedJSON.member(Array("\"data\"".utf8), FuzzedJSON.joined(data, "{", "}"), &dice), at: place)
        let body = FuzzedJSON.joined(event, "{", "}")
        let request = CanonicalEvent.Request(user: try UserID(user), tenant: try TenantID(tenant), place: "data")
        guard (try? CanonicalEvent.read(body)) == .changes([request], wanted: .live, occurredAt: nil) else {
            throw FuzzFailure("a sign-up is not read", body)
        }
    }

    /// Returns a body like a canonical event, each of whose members may be missing, of another kind or odd.
    private static func event(_ dice: inout FuzzDice, isOdd: Bool) -> [UInt8] {
        let times = ["\"2026-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\"", "\"2026-02-30T00:00:00Z\"", "null", "1"]
        var members = [
            Self.member("type", dice.one(of: ["\"user.created\"", "\"user.deleted\"", "\"x\"", "1"]), &dice)
        ]
        if dice.chance(50) { members.append(Self.member("timestamp", dice.one(of: times), &dice)) }
        var data = Self.data(&dice, isOdd: isOdd)
        if dice.chance(30) {
            data = FuzzedJSON.joined((0..<dice.upTo(12)).map { _ in Self.data(&dice, isOdd: isOdd) }, "[", "]")
        }
        if dice.chance(90) { members.append(FuzzedJSON.member(Array("\"data\"".utf8), data, &dice)) }
        if dice.chance(30) { members.append(Self.member("x", "[{}]", &dice)) }
        return FuzzedJSON.joined(members.shuffled(using: &dice), "{", "}")
    }

    private static func data(_ dice: inout FuzzDice, isOdd: Bool) -> [UInt8] {
        if dice.chance(10) { return FuzzedJSON.value(&dice, isOdd: isOdd) }
        let users = ["\"u\"", "\"\"", "\"\\u00e9\"", "\"a\\u009b\"", "null", "7", "\"u\""]
        var members = [Self.member("user_id", dice.one(of: users), &dice)]
        if dice.chance(50) {
            members.append(Self.member("tenant_id", dice.one(of: ["\"acme\"", "null", "\"No Slug\"", "{}"]), &dice))
        }
        if dice.chance(30) {
            members.append(FuzzedJSON.member(Array("\"more\"".utf8), FuzzedJSON.value(&dice, isOdd: isOdd), &dice))
        }
        return FuzzedJSON.joined(members.shuffled(using: &dice), "{", "}")
    }

    private static func member(_ key: String, _ value: String, _ dice: inout FuzzDice) -> [UInt8] {
        let escaped = dice.chance(10) ? key.replacing("d", with: "\\u0064") : key
        return FuzzedJSON.member(Array("\"\(escaped)\"".utf8), Array(value.utf8), &dice)
    }

    /// Their keys are none that is read.
    private static func oddMembers(_ dice: inout FuzzDice) -> [[UInt8]] {
        (0..<dice.upTo(4)).map { _ in
            let key = dice.one(of: ["name", "\\ud800", "\\u0000type", "Type", "user-id", "\\q", "", "e\u{301}"])
            return FuzzedJSON.member(Array("\"\(key)\"".utf8), FuzzedJSON.value(&dice, isOdd: true), &dice)
        }
    }

    /// What the strict reader accepts is read alike; whatever it refuses is read, or refused, without a crash.
    private static func requireAgreement(on body: [UInt8]) throws {
        let meaning = try? CanonicalEvent.read(body)
        guard let value = try? JSONValue(parsing: body), case .object = value else { return }
        let view = try Self.view(of: body)
        guard try Self.isSame(view, value) else { throw FuzzFailure("the readers disagree", body) }
        guard meaning == StrictEvent.meaning(of: value) else { throw FuzzFailure("the meanings differ", body) }
    }

    private static func view(of body: [UInt8]) throws -> JSONView {
        // The whole body as an element of an array.
        let list = JSONView(bytes: [UInt8(ascii: "[")] + body + [UInt8(ascii: "]")], range: 0..<body.count + 2)
        guard let view = try list.elements(upTo: 1)?.first else { throw FuzzFailure("a body is not passed", body) }
        return view
    }

    private static func isSame(_ view: JSONView, _ value: JSONValue) throws -> Bool {
        switch value {
        case .null: return view.kind == .null
        case .bool(let flag): return view.bytes[view.range].elementsEqual("\(flag)".utf8)
        case .number(let text): return view.kind == .other && view.bytes[view.range].elementsEqual(text.utf8)
        case .string(let text): return try view.string()?.utf8.elementsEqual(text.utf8) == true
        case .array(let elements):
            guard let views = try view.elements(upTo: elements.count), views.count == elements.count else {
                return false
            }
            return try zip(views, elements).allSatisfy { try Self.isSame($0, $1) }
        case .object(let members):
            // Some of them are enough: each name costs a comparison with every key.
            let some = members.prefix(8)
            guard let object = try JSONObject(view, reading: some.map(\.key) + ["no such key"]) else { return false }
            let isNone = try object.value("no such key") == nil || members.contains { $0.key == "no such key" }
            return try isNone
                && some.allSatisfy { member in
                    guard let view = try object.value(member.key) else { return false }
                    return try Self.isSame(view, member.value)
                }
        }
    }
}
