// SPDX-License-Identifier: Apache-2.0
// Made-up JSON as senders write it, with everything in it that is odd and has a sound structure.

enum FuzzedJSON {
    /// Returns a value. An odd one need not be strict JSON; its brackets and quotation marks are sound all the same.
    static func value(_ dice: inout FuzzDice, isOdd: Bool, depth: Int = 0) -> [UInt8] {
        switch dice.upTo(depth > 4 ? 6 : 9) {
        case 0, 1: return Self.string(&dice, isOdd: isOdd)
        case 2: return Self.number(&dice, isOdd: isOdd)
        case 3: return Array(dice.one(of: ["true", "false", "null"]).utf8)
        case 4: return Array(dice.one(of: ["{}", "[]", "\"\"", " [ ] "]).utf8)
        case 5 where isOdd: return Self.nest(levels: 1 + dice.upTo(200), around: "1")
        case 5, 6, 7: return Self.object(&dice, isOdd: isOdd, depth: depth)
        default:
            return Self.joined(
                (0..<dice.upTo(5)).map { _ in Self.value(&dice, isOdd: isOdd, depth: depth + 1) }, "[", "]")
        }
    }

    static func object(_ dice: inout FuzzDice, isOdd: Bool, depth: Int = 0) -> [UInt8] {
        var members: [[UInt8]] = []
        for place in 0..<dice.upTo(5) {
            // Strict members have a number in their key, so that no key comes twice.
            let key =
                isOdd
                ? Self.string(&dice, isOdd: true) : Array("\"k\(place)\(dice.one(of: ["", "é", "\\u0061"]))\"".utf8)
            members.append(Self.member(key, Self.value(&dice, isOdd: isOdd, depth: depth + 1), &dice))
        }
        return Self.joined(members, "{", "}")
    }

    /// Returns a member with space around its parts. `key` has its quotation marks.
    static func member(_ key: [UInt8], _ value: [UInt8], _ dice: inout FuzzDice) -> [UInt8] {
        var member = Self.space(&dice)
        member += key
        member += Self.space(&dice)
        member.append(UInt8(ascii: ":"))
        member += Self.space(&dice)
        member += value
        return member + Self.space(&dice)
    }

    static func joined(_ parts: [[UInt8]], _ opening: String, _ closing: String) -> [UInt8] {
        Array(opening.utf8) + Array(parts.joined(separator: [UInt8(ascii: ",")])) + Array(closing.utf8)
    }

    /// Returns so many brackets of both kinds around a text.
    static func nest(levels: Int, around text: String) -> [UInt8] {
        let isObject = (0..<levels).map { ($0 * 7919) % 3 == 0 }
        let opening = isObject.map { $0 ? "{\"a\":" : "[" }.joined()
        return Array((opening + text + isObject.reversed().map { $0 ? "}" : "]" }.joined()).utf8)
    }

    private static func string(_ dice: inout FuzzDice, isOdd: Bool) -> [UInt8] {
        var bytes = [UInt8(ascii: "\"")]
        for _ in 0..<dice.upTo(8) {
            if isOdd && dice.chance(30) {
                let odd = [
                    "\\u0000", "\\ud800", "\\udc00\\ud800", "\\x", "\\u12", "\u{9b}", "\t", "\n", "}", "]", ",", ":",
                ]
                bytes += dice.chance(70) ? Array(dice.one(of: odd).utf8) : [0x80 | dice.byte()]
            } else {
                let usual = [
                    "a", "user", "\\n", "\\\"", "\\\\", "\\/", "é", "e\u{301}", "😀", "\\ud83d\\ude00", " ", "{", "[",
                ]
                bytes += Array(dice.one(of: usual).utf8)
            }
        }
        return bytes + [UInt8(ascii: "\"")]
    }

    private static func number(_ dice: inout FuzzDice, isOdd: Bool) -> [UInt8] {
        if isOdd {
            return Array(dice.one(of: ["NaN", "-Infinity", "007", ".5", "1.", "+1", "1e99999", "undefined"]).utf8)
        }
        return Array("\(dice.one(of: ["", "-"]))\(dice.next())\(dice.one(of: ["", ".5", "e3", ".25E-7"]))".utf8)
    }

    private static func space(_ dice: inout FuzzDice) -> [UInt8] {
        dice.chance(80) ? [] : Array(dice.one(of: [" ", "\n", "\t", "\r\n "]).utf8)
    }
}
