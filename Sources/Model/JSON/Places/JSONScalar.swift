// SPDX-License-Identifier: Apache-2.0
// A value that holds no other, read strictly; and a text compared where it lies.

/// A value of a body as its reader tells kinds apart. A number stays the text that the sender wrote.
package enum JSONScalar: Sendable, Equatable {
    case text(String)
    case number(String)
    case bool(Bool)
    case null
    case object
    case array
}

extension JSONView {
    /// Throws for a text that is not strict JSON, and for a word that is none of JSON's.
    package func scalar() throws(JSONError) -> JSONScalar {
        switch self.kind {
        case .object: return .object
        case .array: return .array
        case .null: return .null
        case .string: return .text(try self.string() ?? "")
        case .other:
            do throws(JSONError) {
                switch try JSONValue(parsing: Array(self.bytes[self.range])) {
                case .bool(let value): return .bool(value)
                case .number(let text): return .number(text)
                default: throw JSONError(reason: "has a character that starts no value", offset: 0)
                }
            } catch {
                throw JSONError(reason: error.reason, offset: self.range.lowerBound + error.offset)
            }
        }
    }

    /// Returns whether this is a string of exactly these bytes. A string that cannot be decoded equals no text.
    package func isText(_ text: String) -> Bool {
        guard self.kind == .string else { return false }
        let raw = self.bytes[self.range].dropFirst().dropLast()
        // The common case has no escapes.
        if raw.count == text.utf8.count { return raw.elementsEqual(text.utf8) && !raw.contains(UInt8(ascii: "\\")) }
        // An escape takes at most six bytes for each byte of the text.
        guard (text.utf8.count + 1...text.utf8.count * 6 + 6).contains(raw.count),
            raw.contains(UInt8(ascii: "\\"))
        else { return false }
        guard let decoded = try? self.string() else { return false }
        return decoded.utf8.elementsEqual(text.utf8)
    }

    /// Returns whether nothing stands in it: null, an empty text, an empty array or an empty object.
    package var isEmpty: Bool {
        switch self.kind {
        case .null: return true
        case .string: return self.range.count == 2
        case .other: return false
        case .array, .object:
            var structure = JSONStructure(self.bytes, at: self.range.lowerBound + 1)
            structure.passSpace()
            return structure.position == self.range.upperBound - 1
        }
    }

    /// The bytes of the value as the sender wrote them.
    package var raw: ArraySlice<UInt8> { self.bytes[self.range] }
}
