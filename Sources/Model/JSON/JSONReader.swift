// SPDX-License-Identifier: Apache-2.0
// Reads bytes from outside as JSON, by RFC 8259: bounded in depth and size, with no key twice in an object.

/// One pass over the bytes. Each function starts at `position` and leaves it behind what it has read.
struct JSONReader {
    let bytes: [UInt8]
    let limits: JSONValue.Limits
    var position = 0
    var values = 0

    init(bytes: [UInt8], limits: JSONValue.Limits, position: Int = 0) {
        self.bytes = bytes
        self.limits = limits
        self.position = position
    }

    mutating func document() throws(JSONError) -> JSONValue {
        self.skipSpace()
        let value = try self.value(depth: 0)
        self.skipSpace()
        guard self.position == self.bytes.count else { throw self.error("text follows the JSON value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= self.limits.depth else { throw self.error("is nested too deep") }
        self.values += 1
        guard self.values <= self.limits.values else { throw self.error("holds too many values") }
        switch self.peek() {
        case UInt8(ascii: "{"): return try self.object(depth: depth)
        case UInt8(ascii: "["): return try self.array(depth: depth)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        case .some: return .number(try self.number())
        case .none: throw self.error("ends before its value")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        self.position += 1
        var members: [(key: String, value: JSONValue)] = []
        var keys = SeenKeys()
        self.skipSpace()
        if self.take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            self.skipSpace()
            guard self.peek() == UInt8(ascii: "\"") else { throw self.error("expected a key") }
            let key = try self.string()
            // Of two equal keys one parser keeps the first and another the last, so they would see different events.
            guard keys.isNew(key) else { throw self.error("has a key twice") }
            self.skipSpace()
            guard self.take(UInt8(ascii: ":")) else { throw self.error("expected ':'") }
            self.skipSpace()
            members.append((key: key, value: try self.value(depth: depth + 1)))
            self.skipSpace()
            if self.take(UInt8(ascii: "}")) { return .object(members) }
            guard self.take(UInt8(ascii: ",")) else { throw self.error("expected ',' or '}'") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        self.position += 1
        var elements: [JSONValue] = []
        self.skipSpace()
        if self.take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            self.skipSpace()
            elements.append(try self.value(depth: depth + 1))
            self.skipSpace()
            if self.take(UInt8(ascii: "]")) { return .array(elements) }
            guard self.take(UInt8(ascii: ",")) else { throw self.error("expected ',' or ']'") }
        }
    }

    /// Reads a string from its quotation mark on.
    mutating func string() throws(JSONError) -> String {
        self.position += 1
        let start = self.position
        while let byte = self.peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            self.position += 1
        }
        if self.peek() == UInt8(ascii: "\"") {
            // The common case has no escapes and needs one copy.
            defer { self.position += 1 }
            return try self.text(self.bytes[start..<self.position])
        }
        var decoded = Array(self.bytes[start..<self.position])
        while let byte = self.peek() {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""): return try self.text(decoded[...])
            case UInt8(ascii: "\\"): try self.escape(into: &decoded)
            case 0..<0x20: throw self.error("has a control character in a string")
            default: decoded.append(byte)
            }
        }
        throw self.error("ends inside a string")
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw self.error("is not UTF-8") }
        return text
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(JSONError) {
        guard let byte = self.peek() else { throw self.error("ends inside an escape") }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"): try self.unicodeEscape(into: &decoded)
        default: throw self.error("has an unknown escape")
        }
    }

    private mutating func unicodeEscape(into decoded: inout [UInt8]) throws(JSONError) {
        var code = try self.hexadecimal()
        if (0xD800...0xDBFF).contains(code) {
            guard self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")) else {
                throw self.error("has half a surrogate pair")
            }
            let low = try self.hexadecimal()
            guard (0xDC00...0xDFFF).contains(low) else { throw self.error("has half a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard code != 0, let scalar = Unicode.Scalar(code) else {
            throw self.error("has a character that is not allowed")
        }
        decoded.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw self.error("has a bad \\u escape")
            }
            code = code << 4 | UInt32(digit)
            self.position += 1
        }
        return code
    }

    /// RFC 8259 section 6: no leading zero, no bare point.
    private mutating func number() throws(JSONError) -> String {
        let start = self.position
        _ = self.take(UInt8(ascii: "-"))
        if !self.take(UInt8(ascii: "0")) { try self.digits() }
        if self.take(UInt8(ascii: ".")) { try self.digits() }
        if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
            if !self.take(UInt8(ascii: "+")) { _ = self.take(UInt8(ascii: "-")) }
            try self.digits()
        }
        return String(decoding: self.bytes[start..<self.position], as: UTF8.self)
    }

    private mutating func digits() throws(JSONError) {
        let start = self.position
        while let byte = self.peek(), (0x30...0x39).contains(byte) { self.position += 1 }
        guard self.position > start else { throw self.error("has a character that starts no value") }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard self.bytes[self.position...].starts(with: word.utf8) else {
            throw self.error("has a character that starts no value")
        }
        self.position += word.utf8.count
        return value
    }

    private func peek() -> UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.peek() == byte else { return false }
        self.position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = self.peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }

    private func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: self.position) }
}
