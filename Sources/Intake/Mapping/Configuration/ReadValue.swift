// SPDX-License-Identifier: Apache-2.0
// Reads the part of the grammar that says where a value comes from.

import Model

/// Collects the places that a part of a configuration reads, while its values are read.
struct Scopes {
    var request = JSONPlaces()
    var event = JSONPlaces()
    /// Nil where no element is at hand.
    var element: JSONPlaces?
    /// Whether the event is a part of the request. Otherwise both are one.
    let isSplit: Bool
    let secretNames: Set<String>
    private var numbers = 0

    init(isSplit: Bool, secretNames: Set<String>) {
        self.isSplit = isSplit
        self.secretNames = secretNames
    }

    mutating func nextNumber() -> Int {
        self.numbers += 1
        return self.numbers
    }

    /// Reads "/a" (in the event), "./a" or "." (in the element of `each`), "$/a" or "$" (in the whole body).
    mutating func place(_ text: String, at place: String) throws(InvalidValue) -> Place {
        let isOfElement = text == "." || text.hasPrefix("./")
        let isOfRequest = text == "$" || text.hasPrefix("$/")
        let pointer = try Self.pointer(isOfElement || isOfRequest ? String(text.dropFirst()) : text, at: place)
        let isSecret = pointer.steps.contains(where: self.secretNames.contains)
        if isOfElement {
            guard var element = self.element else { throw InvalidValue(place, "begins with '.', and has no \"each\"") }
            let number = element.add(pointer)
            self.element = element
            return Place(scope: .element, number: number, pointer: pointer, isSecret: isSecret)
        }
        if isOfRequest && self.isSplit {
            let number = self.request.add(pointer)
            return Place(scope: .request, number: number, pointer: pointer, isSecret: isSecret)
        }
        return Place(scope: .event, number: self.event.add(pointer), pointer: pointer, isSecret: isSecret)
    }

    static func pointer(_ text: String, at place: String) throws(InvalidValue) -> JSONPointer {
        do { return try JSONPointer(text) } catch {
            throw InvalidValue(place, "must be a JSON Pointer (RFC 6901): it \(error.reason)")
        }
    }
}

/// Makes values of a configuration. A string is short for `{"at": …}`.
enum ReadValue {
    private static let forms = ["at", "header", "proven", "fixed", "first", "find", "join", "parts", "hash"]

    /// `kinds` says what texts may be made of.
    static func value(
        _ json: JSONValue, at place: String, _ scopes: inout Scopes, kinds: Place.Kinds = .textOrInteger
    ) throws(InvalidValue) -> Value {
        if case .string(let text) = json {
            var found = try scopes.place(text, at: place)
            found.kinds = kinds
            return .place(found)
        }
        let section = try Section(json, at: place, keys: Self.forms + ["is", "after", "holds", "take", "percent"])
        let given = Self.forms.filter { section[$0] != nil }
        guard given.count == 1, let form = given.first else {
            throw InvalidValue(
                place.isEmpty ? "the configuration" : place,
                "needs exactly one of \(Self.forms.joined(separator: ", "))")
        }
        switch form {
        case "at": return try Self.located(section, &scopes, kinds)
        case "first": return .first(try Self.several(form, of: section, &scopes, kinds))
        case "join": return .joined(try Self.several(form, of: section, &scopes, kinds))
        case "find": return .find(try ReadFind.find(section, &scopes))
        case "parts": return .composite(try Self.parts(section, &scopes))
        default: return try Self.plain(form, of: section)
        }
    }

    private static func plain(_ form: String, of section: Section) throws(InvalidValue) -> Value {
        switch form {
        case "header":
            try Self.require(section, ["header", "percent"])
            let name = try Self.headerName(section)
            return .header(Value.Header(name: name, isPercentEncoded: try section.flag("percent") ?? false))
        case "fixed":
            try Self.require(section, ["fixed"])
            return .fixed(try section.text("fixed") ?? "")
        case "proven":
            try Self.require(section, ["proven"])
            guard try section.text("proven") == "delivery_id" else {
                throw InvalidValue(section.place(of: "proven"), "must be \"delivery_id\"")
            }
            return .provenID
        default:
            try Self.require(section, ["hash"])
            guard try section.text("hash") == "body" else {
                throw InvalidValue(section.place(of: "hash"), "must be \"body\"")
            }
            return .hash
        }
    }

    /// A header's name in lower case: RFC 9110 section 5.1 gives a token, and case does not matter.
    static func headerName(_ section: Section) throws(InvalidValue) -> String {
        let name = (try section.text("header") ?? "").lowercased()
        let isToken = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
        }
        guard (1...64).contains(name.utf8.count), isToken else {
            throw InvalidValue(section.place(of: "header"), "must be a header's name: letters, digits, '-' and '_'")
        }
        return name
    }

    /// Refuses a key that belongs to another form of value.
    static func require(_ section: Section, _ keys: [String]) throws(InvalidValue) {
        guard let odd = section.keys.first(where: { !keys.contains($0) }) else { return }
        throw InvalidValue(section.place(of: odd), "does not go with \"\(keys[0])\"")
    }

    private static func located(
        _ section: Section, _ scopes: inout Scopes, _ kinds: Place.Kinds
    ) throws(InvalidValue) -> Value {
        try Self.require(section, ["at", "is", "after", "holds", "take"])
        var place = try scopes.place(try section.text("at") ?? "", at: section.place(of: "at"))
        place.kinds = kinds
        if let type = try section.text("is") {
            guard type == "string" else { throw InvalidValue(section.place(of: "is"), "must be \"string\"") }
            place.kinds = .text
        }
        place.prefix = try section.text("after")
        guard let holds = try section.choice("holds", of: Holds.self) else {
            guard section["take"] == nil else { throw section.missing("holds") }
            return .place(place)
        }
        guard let take = try section.text("take") else { throw section.missing("take") }
        let pointer = try Scopes.pointer(take, at: section.place(of: "take"))
        var inner = JSONPlaces()
        let isSecret = place.isSecret || pointer.steps.contains(where: scopes.secretNames.contains)
        let taken = Place(
            scope: .inner, number: inner.add(pointer), pointer: pointer, kinds: place.kinds, prefix: place.prefix,
            isSecret: isSecret)
        return .held(
            Value.Held(
                number: scopes.nextNumber(), place: place, isBase64: holds == .base64, inner: inner, take: taken))
    }

    private enum Holds: String, CaseIterable { case json, base64 = "base64-json" }

    private static func several(
        _ key: String, of section: Section, _ scopes: inout Scopes, _ kinds: Place.Kinds
    ) throws(InvalidValue) -> [Value] {
        try Self.require(section, [key])
        var values: [Value] = []
        for (json, place) in try section.list(key) ?? [] {
            values.append(try Self.value(json, at: place, &scopes, kinds: kinds))
        }
        guard !values.isEmpty else { throw InvalidValue(section.place(of: key), "must not be empty") }
        return values
    }

    private static func parts(_ section: Section, _ scopes: inout Scopes) throws(InvalidValue) -> [Value.Part] {
        try Self.require(section, ["parts"])
        var parts: [Value.Part] = []
        for (json, place) in try section.list("parts") ?? [] {
            guard case .object = json, json["part"] != nil else {
                let value = try Self.value(json, at: place, &scopes)
                parts.append(Value.Part(value: value, isRequired: false, isArrival: false))
                continue
            }
            let part = try Section(json, at: place, keys: ["part", "required", "or_arrival"])
            let value = try Self.value(part["part"] ?? .null, at: part.place(of: "part"), &scopes)
            parts.append(
                Value.Part(
                    value: value, isRequired: try part.flag("required") ?? false,
                    isArrival: try part.flag("or_arrival") ?? false))
        }
        guard !parts.isEmpty else { throw InvalidValue(section.place(of: "parts"), "must not be empty") }
        return parts
    }
}
