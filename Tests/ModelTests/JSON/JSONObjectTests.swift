// SPDX-License-Identifier: Apache-2.0
// Members that nobody reads may hold anything whose structure is sound. Members that are read are strict JSON.

import Testing

@testable import Model

@Suite struct JSONObjectTests {
    private static func object(_ text: String, _ names: [String] = ["id", "more"]) throws(JSONError) -> JSONObject {
        try JSONObject(body: Array(text.utf8), reading: names)
    }

    /// Each is the value of a member that nobody reads.
    private static let oddValues: [(name: String, text: String)] = [
        ("NUL", #""\u0000""#), ("half a surrogate pair", #""\ud800""#), ("the other half", #""\udfff x""#),
        ("an unknown escape", #""\x41\q""#), ("a cut \\u escape", #""\u12""#), ("a bare tab and line feed", "\"\t\n\""),
        ("33 levels", String(repeating: "[", count: 33) + String(repeating: "]", count: 33)),
        ("200,000 levels of both kinds", Self.nested(200_000)),
        ("30,000 values", "[" + String(repeating: "1,", count: 30_000) + "1]"),
        ("a key twice", #"{"id":1,"id":2}"#), ("a key of a member that is read", #"{"id":"other","more":[]}"#),
        ("a key twice by canonical equivalence", "{\"\u{E9}\":1,\"e\u{301}\":2}"),
        ("a huge number", "1e999999"), ("a long number", String(repeating: "9", count: 100_000)),
        ("a number of Python", "NaN"), ("another", "-Infinity"), ("a leading zero", "007"), ("a bare point", ".5"),
        ("brackets in a string", #""}]{[\",:""#), ("a backslash at the end", #""\\""#),
        ("space everywhere", " { \"a\" : [ 1 , { } , [ ] ] } "),
    ]

    private static func nested(_ levels: Int) -> String {
        String(repeating: "[{\"a\":", count: levels / 2) + "1" + String(repeating: "}]", count: levels / 2)
    }

    @Test func `a key that is written with an escape is not the name that is spelt like it`() throws {
        let spelt = #"a\""#
        let object = try JSONObject(body: Array("{\"\(spelt)\":1}".utf8), reading: [spelt, "a\""])
        #expect(try object.value(spelt) == nil)
        #expect(try object.value("a\"") != nil)
    }

    @Test func `a member that nobody reads may hold anything with a sound structure`() throws {
        for (name, text) in Self.oddValues {
            for body in ["{\"id\":\"u\",\"odd\":\(text)}", "{\"odd\":\(text),\"odd\":\(text),\"id\":\"u\"}"] {
                let object = try Self.object(body)
                #expect(try object.value("id")?.string() == "u", "\(name)")
                #expect(try object.value("more")?.kind == nil, "\(name)")
            }
        }
    }

    @Test func `bytes that are not UTF-8 do no harm where nobody reads them`() throws {
        let latin = Array("{\"name\":\"".utf8) + [0xE9, 0xFF, 0x80] + Array("\",\"id\":\"u\"}".utf8)
        let object = try JSONObject(body: latin, reading: ["id", "name"])
        #expect(try object.value("id")?.string() == "u")
        #expect(throws: JSONError.self) { try object.value("name")?.string() }
    }

    @Test(arguments: [
        "", " ", "[]", "\"id\"", "{", "{\"id\"", "{\"id\":", "{\"id\":1", "{\"id\":1,", "{\"id\":1,}", "{,}", "{1:2}",
        "{id:1}", "{\"id\":}", "{\"id\" 1}", "{\"id\":1 2}", "{\"id\":1}x", "{\"id\":1}{}", "{\"a\":[1}", "{\"a\":[1]",
        "{\"a\":{]}", "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":\"b}", "{\"a\":\"b\\\"}", "{\"a\":'b'}",
        "{\"a\":1/**/}", "\u{FEFF}{}", "{\"a\":\u{1}1}",
    ])
    func `a body whose structure is broken anywhere is refused`(text: String) {
        #expect(throws: JSONError.self) { try Self.object(text) }
    }

    @Test(arguments: [
        #""\u0000""#, #""\ud800""#, #""\ud800x""#, #""\udc00""#, #""\x""#, "\"\t\"", "\"\u{0}\"", #""\u12""#,
    ])
    func `text that is read is strict JSON`(text: String) throws {
        let object = try Self.object("{\"id\":\(text)}")
        #expect(throws: JSONError.self) { try object.value("id")?.string() }
    }

    @Test(arguments: [
        (#"{"id":"a","id":"b"}"#, true), (#"{"id":"a","\u0069d":"b"}"#, true),
        (#"{"\u0069\u0064":"a","id":"b"}"#, true),
        (#"{"id":null,"x":1,"id":null}"#, true), (#"{"id":"a","ID":"b"}"#, false), (#"{"id":"a","id ":"b"}"#, false),
        (#"{"id":"a","i\u0000d":"b","\ud800":1,"\q":2}"#, false), (#"{"id":"a","x":{"id":"b"}}"#, false),
        (#"{"id":"a","more":1,"more":2}"#, false),
    ])
    func `a key that is read is there once, however it is written`(text: String, isTwice: Bool) throws {
        let object = try Self.object(text)
        if isTwice {
            #expect(throws: JSONError.self) { try object.value("id") }
        } else {
            #expect(try object.value("id")?.string() == "a")
        }
    }

    @Test func `keys compare by their bytes`() throws {
        let text = "{\"e\u{301}\":\"two characters\",\"\u{E9}\":\"one\"}"
        let object = try Self.object(text, ["\u{E9}"])
        #expect(try object.value("\u{E9}")?.string() == "one")
        #expect(try JSONValue(parsing: Array(text.utf8))["\u{E9}"] == .string("one"))
    }

    @Test func `a value knows its kind, its members and its elements`() throws {
        let object = try Self.object(#"{"id": null , "more" : [ {"id":"a"}, "b", 3, nullx, null ] }"#)
        #expect(try object.value("id")?.kind == .null)
        #expect(try object.value("id")?.string() == nil)
        let list = try #require(try object.value("more"))
        let elements = try #require(try list.elements(upTo: 5))
        #expect(elements.map(\.kind) == [.object, .string, .other, .other, .null])
        #expect(try JSONObject(elements[0], reading: ["id"])?.value("id")?.string() == "a")
        #expect(try JSONObject(elements[1], reading: ["id"])?.value("id")?.kind == nil)
        #expect(try elements[1].elements(upTo: 5)?.count == nil)
        #expect(try list.elements(upTo: 2)?.count == 3)
    }
}
