// SPDX-License-Identifier: Apache-2.0
// The members of a JSON object that somebody reads, found in one pass; all others are passed by their structure.

/// An object of a body, as far as its reader has asked for it. Members of other names may hold anything.
package struct JSONObject: Sendable {
    /// One for each name, in the order of the names.
    private var members: [Member]

    private struct Member {
        let name: String
        var value: JSONView?
        /// Where the name comes again.
        var again: Int?
    }

    /// Reads a whole body, which must be one object.
    package init(body: [UInt8], reading names: [String]) throws(JSONError) {
        var structure = JSONStructure(body)
        structure.passSpace()
        guard let first = structure.peek() else { throw structure.error("is empty") }
        guard first == UInt8(ascii: "{") else { throw structure.error("must be a JSON object") }
        try self.init(&structure, names)
        structure.passSpace()
        guard structure.peek() == nil else { throw structure.error("has text behind its JSON object") }
    }

    /// Reads an object inside a body. Nil when the value is none.
    package init?(_ value: JSONView, reading names: [String]) throws(JSONError) {
        guard value.kind == .object else { return nil }
        var structure = JSONStructure(value.bytes, at: value.range.lowerBound)
        try self.init(&structure, names)
    }

    private init(_ structure: inout JSONStructure, _ names: [String]) throws(JSONError) {
        self.members = names.map { Member(name: $0) }
        _ = structure.take(UInt8(ascii: "{"))
        structure.passSpace()
        if structure.take(UInt8(ascii: "}")) { return }
        repeat {
            let key = try structure.passKey()
            let start = try structure.passValue()
            self.keep(start..<structure.position, under: key, of: structure.bytes)
            structure.passSpace()
        } while structure.take(UInt8(ascii: ","))
        guard structure.take(UInt8(ascii: "}")) else { throw structure.error("expected ',' or '}'") }
    }

    private mutating func keep(_ value: Range<Int>, under key: Range<Int>, of bytes: [UInt8]) {
        for place in self.members.indices where Self.isEqual(key, in: bytes, to: self.members[place].name) {
            if self.members[place].value == nil {
                self.members[place].value = JSONView(bytes: bytes, range: value)
            } else {
                self.members[place].again = key.lowerBound
            }
        }
    }

    /// Returns the member of one of the names. Nil when there is none.
    ///
    /// Throws when it is there more than once: one parser keeps the first and another the last, so they would see
    /// different events.
    package func value(_ name: String) throws(JSONError) -> JSONView? {
        guard let member = self.members.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return nil }
        if let again = member.again { throw JSONError(reason: "has \(name) twice", offset: again) }
        return member.value
    }

    /// Compares byte by byte, as RFC 8259 section 8.3 says, after the escapes are decoded.
    static func isEqual(_ key: Range<Int>, in bytes: [UInt8], to name: String) -> Bool {
        // The common case has no escapes. A backslash in the body is the first half of one, and never itself.
        if key.count == name.utf8.count {
            return bytes[key].elementsEqual(name.utf8) && !name.utf8.contains(UInt8(ascii: "\\"))
        }
        guard key.count > name.utf8.count, bytes[key].contains(UInt8(ascii: "\\")) else { return false }
        var reader = JSONReader(bytes: bytes, limits: JSONValue.Limits(), position: key.lowerBound - 1)
        // A key that cannot be decoded is no name of ours.
        guard let text = try? reader.string() else { return false }
        return text.utf8.elementsEqual(name.utf8)
    }
}
