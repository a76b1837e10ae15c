// SPDX-License-Identifier: Apache-2.0
// Reads `find`: the first element of a list whose member has a value, and a place in it.

import Model

enum ReadFind {
    /// `{"find": {"in": "/target", "where": {"at": "/type", "equals": "User"}, "take": "/id"}}`
    static func find(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Value.Find {
        try ReadValue.require(section, ["find"])
        let find = try Section(
            section["find"] ?? .null, at: section.place(of: "find"), keys: ["in", "where", "take"])
        guard let list = try find.text("in") else { throw find.missing("in") }
        guard let take = try find.text("take") else { throw find.missing("take") }
        let test = try Section(
            find["where"] ?? .null, at: find.place(of: "where"), keys: ["at", "equals", "same_as"])
        guard let at = try test.text("at") else { throw test.missing("at") }
        let place = try scopes.place(list, at: find.place(of: "in"))
        var elements = JSONPlaces()
        let whereAt = elements.add(try Scopes.pointer(at, at: test.place(of: "at")))
        let taken = try Scopes.pointer(take, at: find.place(of: "take"))
        let isSecret = place.isSecret || taken.steps.contains(where: scopes.secretNames.contains)
        let takePlace = Place(scope: .inner, number: elements.add(taken), pointer: taken, isSecret: isSecret)
        return Value.Find(
            number: scopes.nextNumber(), list: place, elements: elements, whereAt: whereAt,
            fits: try Self.fits(test, &scopes), take: takePlace)
    }

    private static func fits(_ test: Section, _ scopes: inout Scopes) throws(InvalidValue) -> Value.Fits {
        switch (test["equals"], test["same_as"]) {
        case (let value?, nil):
            return .equals(try ReadCondition.scalar(value, at: test.place(of: "equals")))
        case (nil, .some):
            return .sameAs(try scopes.place(try test.text("same_as") ?? "", at: test.place(of: "same_as")))
        default: throw InvalidValue(test.place, "needs exactly one of equals, same_as")
        }
    }
}
