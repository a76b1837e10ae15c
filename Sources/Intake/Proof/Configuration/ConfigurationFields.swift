// SPDX-License-Identifier: Apache-2.0
// The members of one object of a configuration, read strictly: a mistyped key must not be passed over.

import Model

/// Errors name the member, and quote a key only where it is a known one mistyped: anything else may be a secret in the
/// wrong place. They never quote a value.
struct ConfigurationFields {
    let place: String
    private let members: [(key: String, value: JSONValue)]

    /// Throws where the value is no object, or has a key that is not `known`.
    init(_ value: JSONValue, at place: String, known: [String]) throws(InvalidValue) {
        guard case .object(let members) = value else { throw InvalidValue(place, "must be an object") }
        self.place = place
        self.members = members
        for (key, _) in members where !known.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
            throw Self.unknown(key, at: place, known)
        }
    }

    private static func unknown(_ key: String, at place: String, _ known: [String]) -> InvalidValue {
        let isShown = (1...24).contains(key.utf8.count) && key.utf8.allSatisfy(Self.isOfKey)
        let all = known.joined(separator: ", ")
        guard isShown, let nearest = NearestName.of(key, among: known, within: 3) else {
            return InvalidValue(place, "has a key that is none here; there are: \(all)")
        }
        return InvalidValue("\(place).\(key)", "is no key here; did you mean \(nearest)? There are: \(all)")
    }

    private static func isOfKey(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// Throws where one of these members is null. They protect: whoever wants less must say so in a word.
    func requireNoNull(_ keys: [String]) throws(InvalidValue) {
        for (key, value) in self.members where value == .null && keys.contains(key) {
            throw self.error(key, "must not be null")
        }
    }

    /// A member that is null counts as left out.
    func value(_ key: String) -> JSONValue? {
        guard let value = self.members.first(where: { $0.key.utf8.elementsEqual(key.utf8) })?.value,
            value != .null
        else { return nil }
        return value
    }

    func place(of key: String) -> String { "\(self.place).\(key)" }

    func error(_ key: String, _ reason: String) -> InvalidValue { InvalidValue(self.place(of: key), reason) }

    /// Returns what was read of a member, and throws when it is not there.
    func needed<Value>(_ key: String, _ value: Value?) throws(InvalidValue) -> Value {
        guard let value else { throw self.error(key, "is needed") }
        return value
    }

    /// Returns a text that is not empty; nil when there is none.
    func text(_ key: String) throws(InvalidValue) -> String? {
        guard let value = self.value(key) else { return nil }
        guard case .string(let text) = value, (1...8192).contains(text.utf8.count) else {
            throw self.error(key, "must be a text")
        }
        return text
    }

    /// Returns one of the cases of a type, as they are written.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String) throws(InvalidValue) -> Choice? {
        guard let text = try self.text(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw self.error(key, "must be \(Choice.allCases.map(\.rawValue).joined(separator: " or "))")
        }
        return choice
    }

    /// Returns a list of texts. One text counts as a list of one.
    func texts(_ key: String, upTo limit: Int) throws(InvalidValue) -> [String]? {
        guard let value = self.value(key) else { return nil }
        guard case .array(let elements) = value else { return try self.text(key).map { [$0] } }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element, (1...8192).contains(text.utf8.count) else {
                throw self.error(key, "must hold texts alone")
            }
            texts.append(text)
        }
        guard (1...limit).contains(texts.count), Set(texts.map { Array($0.utf8) }).count == texts.count else {
            throw self.error(key, "must hold 1 to \(limit) different texts")
        }
        return texts
    }

    /// Returns a whole number of seconds, written as a number.
    func seconds(_ key: String, _ range: ClosedRange<Int64>) throws(InvalidValue) -> Int64? {
        guard let value = self.value(key) else { return nil }
        guard case .number(let text) = value, let seconds = Int64(text), range.contains(seconds) else {
            throw self.error(key, "must be a whole number of seconds from \(range.lowerBound) to \(range.upperBound)")
        }
        return seconds
    }

    func headerName(_ key: String) throws(InvalidValue) -> String? {
        guard let text = try self.text(key) else { return nil }
        return try HeaderName.read(text, at: self.place(of: key))
    }

    func headerNames(_ key: String) throws(InvalidValue) -> [String]? {
        guard let texts = try self.texts(key, upTo: 4) else { return nil }
        var names: [String] = []
        for text in texts { names.append(try HeaderName.read(text, at: self.place(of: key))) }
        return names
    }
}
