// SPDX-License-Identifier: Apache-2.0
// The values at named places are found in one pass, and a name that is there twice tells nothing.

import Testing

@testable import Model

@Suite struct JSONPlacesTests {
    /// The texts at the places, as the sender wrote them; "twice" for an error.
    private static func find(_ pointers: [String], in body: String) throws -> [String?] {
        var places = JSONPlaces()
        let numbers = try pointers.map { places.add(try JSONPointer($0)) }
        let found = try places.find(in: Array(body.utf8))
        return numbers.map { number in
            do { return try found.value(number).map { String(decoding: $0.raw, as: UTF8.self) } } catch {
                return "twice"
            }
        }
    }

    @Test func `values are found at any depth, also in arrays`() throws {
        let body = #" {"a":{"b":[10,{"c":"x"},[7]],"d":null},"":1,"a/b":{"~":2},"0":{"1":3}} "#
        let pointers = [
            "", "/a/b/1/c", "/a/b/2/0", "/a/d", "/", "/a~1b/~0", "/0/1", "/a/b/3", "/a/b/01", "/a/b/-", "/x",
        ]
        #expect(
            try Self.find(pointers, in: body) == [
                body.trimmingBlanks, #""x""#, "7", "null", "1", "2", "3", nil, nil, nil, nil,
            ])
    }

    @Test func `a name is compared after its escapes, and by its bytes`() throws {
        #expect(try Self.find(["/id"], in: #"{"\u0069d":1}"#) == ["1"])
        #expect(try Self.find(["/é"], in: "{\"e\u{301}\":1}") == [nil])
        #expect(try Self.find(["/é"], in: #"{"\u00e9":1}"#) == ["1"])
    }

    @Test func `a name that is there twice tells nothing, nor does anything below it`() throws {
        #expect(try Self.find(["/a", "/b"], in: #"{"a":1,"b":2,"a":3}"#) == ["twice", "2"])
        #expect(try Self.find(["/a/b", "/a"], in: #"{"a":{"b":1},"a":{}}"#) == ["twice", "twice"])
        #expect(try Self.find(["/a/b"], in: #"{"a":{"b":1},"\u0061":7}"#) == ["twice"])
        #expect(try Self.find(["/a/b", "/a/c"], in: #"{"a":{"b":1,"b":2,"c":3}}"#) == ["twice", "3"])
        #expect(try Self.find(["/a"], in: #"{"x":1,"x":2,"a":3}"#) == ["3"])
    }

    @Test(arguments: ["", " ", "{", #"{"a":1"#, #"{"a":1}}"#, #"{"a":1}x"#, "[1", #"{"a" 1}"#, #"{"a":}"#])
    func `a text whose structure is not sound is refused`(body: String) {
        #expect(throws: JSONError.self) { try Self.find(["/a", "/0"], in: body) }
    }

    @Test func `the whole text may be any value`() throws {
        #expect(try Self.find([""], in: " 7 ") == ["7"])
        #expect(try Self.find(["/a"], in: "[1,2]") == [nil])
    }

    @Test(arguments: [
        (#""a""#, "a", true), (#""\u0061""#, "a", true), (#""a""#, "b", false), (#""\\""#, #"\"#, true),
        (#""\\""#, #"\\"#, false), ("1", "1", false), (#""\ud800""#, "", false), (#""""#, "", true),
    ])
    func `a string is compared where it lies`(json: String, text: String, isEqual: Bool) throws {
        let view = try #require(try JSONPlaces().find(in: Array(json.utf8)).value(0))
        #expect(view.isText(text) == isEqual)
    }

    @Test(arguments: [
        ("null", true), (#""""#, true), ("[ ]", true), ("{\n}", true), ("0", false), ("false", false), ("[0]", false),
        (#"" ""#, false),
    ])
    func `a value is empty or not`(json: String, isEmpty: Bool) throws {
        #expect(try JSONPlaces().find(in: Array(json.utf8)).value(0)?.isEmpty == isEmpty)
    }
}

extension String {
    fileprivate var trimmingBlanks: String { String(self.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
