// SPDX-License-Identifier: Apache-2.0
// The strict reader takes JSON as in RFC 8259 and refuses any text that two parsers might read differently.

import Testing

@testable import Model

@Suite struct JSONValueTests {
    private func parse(_ text: String) throws(JSONError) -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test func `every kind of JSON value is read`() throws {
        let value = try self.parse(#" {"a":[1,-0.5e+3,true,false,null,"\u00e9\ud83d\ude00\n"],"b":{}} "#)
        #expect(
            value["a"]
                == .array([.number("1"), .number("-0.5e+3"), .bool(true), .bool(false), .null, .string("é😀\n")]))
        #expect(value["b"] == .object([]))
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "tru", "\"a", "\"\u{01}\"", "[1] 2",
        #""\x""#, #""\ud800""#, #""\udc00""#, #""\u0000""#, "nan", "\u{FEFF}{}",
    ])
    func `text that is not strict JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try self.parse(text) }
    }

    @Test func `an object with a repeated key is refused`() {
        #expect(throws: JSONError.self) { try self.parse(#"{"user_id":"a","user_id":"b"}"#) }
        #expect(throws: JSONError.self) { try self.parse(#"{"a":1,"\u0061":2}"#) }
    }

    @Test func `keys that are equal by canonical equivalence only are two keys`() throws {
        let many = (0..<20).map { "\"\($0)\":1," }.joined()
        for rest in ["", many] {
            let value = try self.parse("{\(rest)\"\u{E9}\":1,\"e\u{301}\":2}")
            #expect(value["e\u{301}"] == .number("2") && value["\u{E9}"] == .number("1"))
        }
    }

    @Test func `nesting depth and the number of values are limited`() {
        #expect(throws: JSONError.self) { try self.parse(String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONError.self) { try self.parse("[" + String(repeating: "1,", count: 30_000) + "1]") }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    }
}
