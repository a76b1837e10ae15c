// SPDX-License-Identifier: Apache-2.0
// Reads one object of a configuration strictly: each key is known, and each value has its type.

import Model

/// An object of a configuration, and where it stands in it. Errors name a place as a JSON Pointer.
///
/// `Codable` is not used: it passes unknown keys, takes the last of two equal ones, and cannot tell a place's pointer.
struct Section {
    /// Empty for the whole configuration.
    let place: String
    private let members: [Member]

    private struct Member {
        let key: String
        let value: JSONValue
        let place: String
    }

    init(_ value: JSONValue, at place: String, keys: [String]) throws(InvalidValue) {
        guard case .object(let members) = value else { throw Self.error(at: place, wants: "an object", value) }
        for member in members where !keys.contains(where: { $0.utf8.elementsEqual(member.key.utf8) }) {
            let nearest = NearestName.of(member.key, among: keys) ?? ""
            throw InvalidValue(
                Self.place(member.key, in: place), "is not known here; the nearest known key is \"\(nearest)\"")
        }
        self.place = place
        self.members = members.map { Member(key: $0.key, value: $0.value, place: Self.place($0.key, in: place)) }
    }

    /// This section's members, and those of `base` that it does not have. Each keeps its place.
    init(_ section: Section, over base: Section, without left: String? = nil) {
        self.place = base.place
        let own = section.members.filter { $0.key != left }
        self.members = own + base.members.filter { member in !own.contains { $0.key == member.key } }
    }

    /// Nil for a key that is not there.
    subscript(key: String) -> JSONValue? { self.members.first { $0.key == key }?.value }

    func place(of key: String) -> String {
        self.members.first { $0.key == key }?.place ?? Self.place(key, in: self.place)
    }

    var keys: [String] { self.members.map(\.key) }

    private static func place(_ key: String, in place: String) -> String {
        let step = JSONPointer(steps: [VisibleText.escaped(String(key.prefix(64)))])
        return place + step.description
    }

    // MARK: - Values by their type

    func text(_ key: String) throws(InvalidValue) -> String? {
        guard let value = self[key] else { return nil }
        return try Self.text(value, at: self.place(of: key))
    }

    static func text(_ value: JSONValue, at place: String) throws(InvalidValue) -> String {
        guard case .string(let text) = value else { throw Self.error(at: place, wants: "a string", value) }
        return text
    }

    func flag(_ key: String) throws(InvalidValue) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let flag) = value else { throw Self.error(at: self.place(of: key), wants: "a boolean", value) }
        return flag
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(InvalidValue) -> Int? {
        guard let value = self[key] else { return nil }
        let place = self.place(of: key)
        guard case .number(let text) = value else { throw Self.error(at: place, wants: "a number", value) }
        guard let number = Int(text), range.contains(number) else {
            throw InvalidValue(place, "must be a whole number of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Returns the elements with their places.
    func list(_ key: String) throws(InvalidValue) -> [(value: JSONValue, place: String)]? {
        guard let value = self[key] else { return nil }
        return try Self.list(value, at: self.place(of: key))
    }

    static func list(_ value: JSONValue, at place: String) throws(InvalidValue) -> [(value: JSONValue, place: String)] {
        guard case .array(let values) = value else { throw Self.error(at: place, wants: "a list", value) }
        guard values.count <= Self.maximumElements else {
            throw InvalidValue(place, "may have at most \(Self.maximumElements) elements")
        }
        return values.enumerated().map { ($0.element, "\(place)/\($0.offset)") }
    }

    private static let maximumElements = 1000

    func texts(_ key: String) throws(InvalidValue) -> [String]? {
        guard let list = try self.list(key) else { return nil }
        var texts: [String] = []
        for (value, place) in list { texts.append(try Self.text(value, at: place)) }
        return texts
    }

    /// Reads one word of a closed list.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, of type: Choice.Type = Choice.self
    ) throws(InvalidValue) -> Choice? {
        guard let text = try self.text(key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let nearest = NearestName.of(text, among: known) ?? ""
        let all = known.joined(separator: ", ")
        throw InvalidValue(self.place(of: key), "must be one of \(all); the nearest is \"\(nearest)\"")
    }

    // MARK: - Errors

    func missing(_ key: String) -> InvalidValue { InvalidValue(self.place(of: key), "is needed") }

    static func error(at place: String, wants wanted: String, _ value: JSONValue) -> InvalidValue {
        InvalidValue(place.isEmpty ? "the configuration" : place, "must be \(wanted), and is \(Self.kind(value))")
    }

    private static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
