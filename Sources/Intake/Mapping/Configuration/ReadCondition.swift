// SPDX-License-Identifier: Apache-2.0
// Reads the conditions of a rule: all of them must hold.

import Model

enum ReadCondition {
    /// One condition, or a list of them.
    static func all(_ json: JSONValue, at place: String, _ scopes: inout Scopes) throws(InvalidValue) -> [Condition] {
        guard case .array = json else { return [try Self.condition(json, at: place, &scopes)] }
        var conditions: [Condition] = []
        for (value, place) in try Section.list(json, at: place) {
            conditions.append(try Self.condition(value, at: place, &scopes))
        }
        return conditions
    }

    private static let tests = ["equals", "one_of", "prefix", "exists", "empty", "same_as"]

    private static func condition(
        _ json: JSONValue, at place: String, _ scopes: inout Scopes
    ) throws(InvalidValue) -> Condition {
        let section = try Section(json, at: place, keys: ["at", "header", "not"] + Self.tests)
        if let inner = section["not"] {
            try ReadValue.require(section, ["not"])
            return .not(try Self.condition(inner, at: section.place(of: "not"), &scopes))
        }
        let test = try Self.test(section, &scopes)
        switch (section["at"], section["header"]) {
        case (.some, nil):
            return .place(try scopes.place(try section.text("at") ?? "", at: section.place(of: "at")), test)
        case (nil, .some): return .header(try ReadValue.headerName(section), test)
        default: throw InvalidValue(place, "needs exactly one of at, header, not")
        }
    }

    private static func test(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Condition.Test {
        let given = Self.tests.filter { section[$0] != nil }
        guard given.count == 1, let test = given.first, let value = section[test] else {
            throw InvalidValue(section.place, "needs exactly one of \(Self.tests.joined(separator: ", "))")
        }
        let place = section.place(of: test)
        switch test {
        case "equals": return .oneOf([try Self.scalar(value, at: place)])
        case "one_of":
            var scalars: [JSONScalar] = []
            for (value, place) in try Section.list(value, at: place) {
                scalars.append(try Self.scalar(value, at: place))
            }
            return .oneOf(scalars)
        case "prefix": return .prefix(try Section.text(value, at: place))
        case "exists": return .exists(try section.flag(test) ?? true)
        case "empty": return .isEmpty(try section.flag(test) ?? true)
        default: return .sameAs(try scopes.place(try Section.text(value, at: place), at: place))
        }
    }

    static func scalar(_ value: JSONValue, at place: String) throws(InvalidValue) -> JSONScalar {
        switch value {
        case .string(let text): return .text(text)
        case .number(let text): return .number(text)
        case .bool(let flag): return .bool(flag)
        default: throw Section.error(at: place, wants: "a string, a number or a boolean", value)
        }
    }
}
