// SPDX-License-Identifier: Apache-2.0
// Walks over JSON by its structure alone: brackets, commas, colons and the ends of strings.

/// Passes values that nobody reads. Nothing in them is decoded or counted, so an odd escape, a repeated key, a huge
/// number or a hundred thousand levels do no harm.
///
/// It passes every text of RFC 8259, and some texts that are none: any bytes in a string, and `NaN` or `01` for a
/// number. Their structure is the same to every parser that takes them. What is read is read strictly (`JSONReader`).
struct JSONStructure {
    let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// Passes one value and the space before it, in one loop without recursion. Returns where the value begins.
    @discardableResult
    mutating func passValue() throws(JSONError) -> Int {
        self.passSpace()
        let start = self.position
        var brackets = OpenBrackets()
        while true {
            // A value begins here, after space.
            let isOpened = try self.passBeginning(&brackets)
            if !isOpened { try self.passEnds(&brackets) }
            if brackets.isEmpty { return start }
            if brackets.isObject { try self.passKey() }
            self.passSpace()
        }
    }

    /// Passes a value that holds no other, or the bracket of one that does. Returns whether a bracket stays open.
    private mutating func passBeginning(_ brackets: inout OpenBrackets) throws(JSONError) -> Bool {
        switch self.peek() {
        case UInt8(ascii: "\""): try self.passString()
        case UInt8(ascii: "{"): return self.passBracket(&brackets, isObject: true, end: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return self.passBracket(&brackets, isObject: false, end: UInt8(ascii: "]"))
        case .some: try self.passWord()
        case .none: throw self.error("ends before its value")
        }
        return false
    }

    private mutating func passBracket(_ brackets: inout OpenBrackets, isObject: Bool, end: UInt8) -> Bool {
        self.position += 1
        self.passSpace()
        if self.take(end) { return false }
        brackets.open(isObject: isObject)
        return true
    }

    /// Passes the brackets that close behind a value, and the comma after them if another value follows.
    private mutating func passEnds(_ brackets: inout OpenBrackets) throws(JSONError) {
        while !brackets.isEmpty {
            self.passSpace()
            if self.take(UInt8(ascii: ",")) { return }
            guard self.take(UInt8(ascii: brackets.isObject ? "}" : "]")) else {
                throw self.error(brackets.isObject ? "expected ',' or '}'" : "expected ',' or ']'")
            }
            brackets.close()
        }
    }

    /// Passes a key, its colon and the space around them. Returns where the key's text lies in its quotation marks.
    @discardableResult
    mutating func passKey() throws(JSONError) -> Range<Int> {
        self.passSpace()
        guard self.peek() == UInt8(ascii: "\"") else { throw self.error("expected a key") }
        let start = self.position + 1
        try self.passString()
        let end = self.position - 1
        self.passSpace()
        guard self.take(UInt8(ascii: ":")) else { throw self.error("expected ':'") }
        return start..<end
    }

    /// Passes a string. A backslash takes the next byte along, whatever it is.
    private mutating func passString() throws(JSONError) {
        var place = self.position + 1
        while place < self.bytes.count {
            switch self.bytes[place] {
            case UInt8(ascii: "\""):
                self.position = place + 1
                return
            case UInt8(ascii: "\\"): place += 2
            default: place += 1
            }
        }
        self.position = self.bytes.count
        throw self.error("ends inside a string")
    }

    /// Passes a number, `true`, `false`, `null`, or what a lax library writes in their place.
    private mutating func passWord() throws(JSONError) {
        let start = self.position
        while let byte = self.peek(), Self.isOfWord(byte) { self.position += 1 }
        guard self.position > start else { throw self.error("has a character that starts no value") }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    mutating func passSpace() {
        while let byte = self.peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }

    func peek() -> UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard self.peek() == byte else { return false }
        self.position += 1
        return true
    }

    func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: self.position) }
}
