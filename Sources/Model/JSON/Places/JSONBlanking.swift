// SPDX-License-Identifier: Apache-2.0
// Takes the values of secret members out of a JSON text, so that the rest can be kept.

package enum JSONBlanking {
    /// Returns the text with null for the value of every member of one of these names, at any depth. All other bytes
    /// stay as the sender wrote them. Throws where the structure is not sound: nothing of the text may be kept then.
    ///
    /// It passes the text twice and without recursion. A name that cannot be decoded is taken for a secret one.
    package static func text(_ body: [UInt8], without names: Set<String>) throws(JSONError) -> [UInt8] {
        var structure = JSONStructure(body)
        try structure.passValue()
        structure.passSpace()
        guard structure.peek() == nil else { throw structure.error("has text behind its JSON value") }
        var kept: [UInt8] = []
        kept.reserveCapacity(body.count)
        var (position, copied) = (0, 0)
        while position < body.count {
            guard body[position] == UInt8(ascii: "\"") else {
                position += 1
                continue
            }
            let string = Self.string(at: position, in: body)
            position = string.upperBound
            guard let value = try Self.secretValue(behind: string, in: body, names) else { continue }
            kept.append(contentsOf: body[copied..<value.lowerBound])
            kept.append(contentsOf: "null".utf8)
            (position, copied) = (value.upperBound, value.upperBound)
        }
        kept.append(contentsOf: body[copied...])
        return kept
    }

    /// Returns where the string lies, its quotation marks included.
    private static func string(at start: Int, in body: [UInt8]) -> Range<Int> {
        var end = start + 1
        while end < body.count, body[end] != UInt8(ascii: "\"") { end += body[end] == UInt8(ascii: "\\") ? 2 : 1 }
        return start..<min(end + 1, body.count)
    }

    /// Returns where the value lies, if the string is the name of a secret member.
    private static func secretValue(
        behind string: Range<Int>, in body: [UInt8], _ names: Set<String>
    ) throws(JSONError) -> Range<Int>? {
        var structure = JSONStructure(body, at: string.upperBound)
        structure.passSpace()
        guard structure.take(UInt8(ascii: ":")) else { return nil }
        if let name = try? JSONView(bytes: body, range: string).string(), !names.contains(name) { return nil }
        let start = try structure.passValue()
        return start..<structure.position
    }
}
