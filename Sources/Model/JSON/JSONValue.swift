// SPDX-License-Identifier: Apache-2.0
// A JSON value as a body from outside holds it.
//
// A body of which every member is read is a `JSONValue`; `JSONReader` reads it. A body that may hold members of any kind
// is read by `JSONObject`, which passes the others. Text for JSON is written by `JSONText`. What is read is read
// strictly: where two parsers may disagree, one would check a different event from the one that another acts on.

/// A JSON value. Numbers stay text, because nothing here calculates and an id past 2^53 must not change.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    package static func == (lhs: Self, rhs: Self) -> Bool {
        switch (lhs, rhs) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)), (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    /// The member of that name; nil when there is none, or this is no object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// The text; nil when this is no string.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}

extension JSONValue {
    /// What one body may hold at most: levels of nesting, and values in all.
    package struct Limits: Sendable {
        package var depth = 32
        package var values = 20_000
        package init() {}
    }

    /// Reads a whole body, which must be one value. Throws where it is not RFC 8259, exceeds `limits` or repeats a key.
    package init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) {
        var reader = JSONReader(bytes: bytes, limits: limits)
        self = try reader.document()
    }
}
