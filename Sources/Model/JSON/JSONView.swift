// SPDX-License-Identifier: Apache-2.0
// One value of a body, where it lies: its structure is sound, and nothing of it is decoded until somebody asks.

package struct JSONView: Sendable {
    let bytes: [UInt8]
    /// From the value's first byte to the one behind its last.
    let range: Range<Int>

    package enum Kind: Sendable {
        case object, array, string, null
        /// A number, `true`, `false`, or a word that is no JSON.
        case other
    }

    package var kind: Kind {
        switch self.bytes[self.range.lowerBound] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "n") where self.bytes[self.range].elementsEqual("null".utf8): .null
        default: .other
        }
    }

    /// Returns the text; nil when this is no string. Throws where it is not strict JSON: half a surrogate pair, NUL,
    /// an unknown escape, a bare control character, or bytes that are not UTF-8.
    package func string() throws(JSONError) -> String? {
        guard self.kind == .string else { return nil }
        var reader = JSONReader(bytes: self.bytes, limits: JSONValue.Limits(), position: self.range.lowerBound)
        return try reader.string()
    }

    /// Returns the elements; nil when this is no array. Of a longer array it returns the first `limit` and one more.
    package func elements(upTo limit: Int) throws(JSONError) -> [JSONView]? {
        guard self.kind == .array else { return nil }
        var structure = JSONStructure(self.bytes, at: self.range.lowerBound + 1)
        var elements: [JSONView] = []
        structure.passSpace()
        if structure.take(UInt8(ascii: "]")) { return [] }
        repeat {
            let start = try structure.passValue()
            elements.append(JSONView(bytes: self.bytes, range: start..<structure.position))
            structure.passSpace()
        } while elements.count <= limit && structure.take(UInt8(ascii: ","))
        return elements
    }
}
