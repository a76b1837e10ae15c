// SPDX-License-Identifier: Apache-2.0
// A body that is hostile or broken is told from others, costs no more than its length, and spoils nothing.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct HostileBodyTests {
    private static let plain = #""user_id":"/id","rules":[{"person":"live"}]"#
    private static let list = #""user_id":".","rules":[{"each":"/users","person":"live"}]"#
    private static let split = #""split":{"at":"","single":true,"lines":true},"# + Self.plain

    @Test(arguments: [
        ("", Unusable.Reason.notJSON), ("{", .notJSON), (#"{"id":"u"}}"#, .notJSON), (#"{"id":"u"} {}"#, .notJSON),
        ("[]", .wrongType), (#""u""#, .wrongType), ("null", .wrongType), ("Hello, World!", .notJSON),
        ("payload=%7B%7D", .notJSON),
    ])
    func `a body that is no JSON object is one item that cannot be used`(body: String, reason: Unusable.Reason) throws {
        #expect(try MappingBed.items(Self.plain, body) == [.unusable(Unusable(reason))])
    }

    @Test(arguments: [
        (#"{"id":"a","id":"b"}"#, Unusable.Reason.repeatedKey), (#"{"id":"\ud800"}"#, .badText),
        (#"{"id":"a\u0000"}"#, .badText), (#"{"id":"\u202e"}"#, .badText), (#"{"id":"\u001b[2J"}"#, .badText),
        (#"{"id":""}"#, .empty), (#"{"id":null}"#, .null), ("{}", .missing), (#"{"id":[]}"#, .wrongType),
        (#"{"id":true}"#, .wrongType), (#"{"id":NaN}"#, .badText), (#"{"id":01}"#, .badText),
        (#"{"id":1e3}"#, .wrongType),
        (#"{"id":1.0}"#, .wrongType), (#"{"id":-0}"#, .wrongType),
    ])
    func `a user id that is not certain cannot be used`(body: String, reason: Unusable.Reason) throws {
        #expect(try MappingBed.items(Self.plain, body) == [.unusable(Unusable(reason, "/id"))])
    }

    @Test func `an integer of any length is the text that the sender wrote`() throws {
        for id in ["7700123456789012345", "9007199254740993", "-5", "0"] {
            #expect(try MappingBed.items(Self.plain, #"{"id":\#(id)}"#).first?.word?.person.rawValue == id)
        }
    }

    @Test(arguments: [(255, nil as Unusable.Reason?), (256, .tooLong), (5000, .tooLong)])
    func `a user id has at most 255 bytes`(count: Int, reason: Unusable.Reason?) throws {
        let item = try MappingBed.items(Self.plain, #"{"id":"\#(String(repeating: "x", count: count))"}"#).first
        #expect(item?.unusable?.reason == reason && (item?.word == nil) == (reason != nil))
    }

    @Test func `what nobody reads may hold anything`() throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let body = #"{"x":\#(deep),"y":NaN,"y":"\ud800\u0000","id":"u","z":{"id":"v","id":"w"}}"#
        #expect(try MappingBed.items(Self.plain, body).first?.word?.person.rawValue == "u")
    }

    @Test func `deep nesting where values are read is no deeper for us`() throws {
        let deep = String(repeating: #"{"a":"#, count: 100_000)
        let members = #""user_id":"/a/a/a","rules":[{"when":{"at":"/a/a/a/a","exists":true},"person":"live"}]"#
        #expect(try MappingBed.items(members, deep) == [.unusable(Unusable(.notJSON))])
        let closed = deep + "1" + String(repeating: "}", count: 100_000)
        #expect(try MappingBed.items(members, closed) == [.unusable(Unusable(.wrongType, "/a/a/a"))])
    }

    @Test func `ten thousand items are taken, and one more is not`() throws {
        let users = { (count: Int) in #"{"users":[\#((0..<count).map { "\"\($0)\"" }.joined(separator: ","))]}"# }
        let items = try MappingBed.items(Self.list, users(10_000))
        #expect(items.count == 10_000 && items.allSatisfy { $0.word != nil })
        #expect(try MappingBed.items(Self.list, users(10_001)) == [.unusable(Unusable(.tooManyItems, "/users"))])
        let events = { (count: Int) in "[\((0..<count).map { #"{"id":\#($0)}"# }.joined(separator: ","))]" }
        #expect(try MappingBed.items(#""delivery_id":"/id","# + Self.split, events(10_000)).count == 10_000)
        #expect(try MappingBed.items(Self.split, events(10_001)) == [.unusable(Unusable(.tooManyItems))])
    }

    @Test func `a body over 1 MiB is not read`() throws {
        let body = #"{"id":"u","x":"\#(String(repeating: "x", count: 1 << 20))"}"#
        #expect(try MappingBed.items(Self.plain, body) == [.unusable(Unusable(.tooLarge))])
    }

    @Test func `one bad event of a batch spoils no other one`() throws {
        let lines = "{\"id\":\"a\"}\r\n\n{\"id\":\n[1]\n{\"id\":\"b\"}\n"
        let delivered = try MappingBed.mapping(Self.split).read(MappingBed.request(lines)).deliveries
        #expect(delivered.map { $0.items.first?.word?.person.rawValue } == ["a", nil, nil, "b"])
        #expect(delivered[1].items == [.unusable(Unusable(.notJSON, "/1"))])
        #expect(delivered[2].items == [.unusable(Unusable(.wrongType, "/2"))])
        let array = try MappingBed.items(Self.split, #"[{"id":"a"},7,{"id":{}},null,{"id":"b"}]"#)
        #expect(array.map { $0.unusable?.place } == [nil, "/1", "/2/id", "/3", nil])
    }

    @Test func `lines are a stream only where the configuration says so`() throws {
        let items = try MappingBed.items(#""split":"","# + Self.plain, "{\"id\":\"a\"}\n{\"id\":\"b\"}")
        #expect(items == [.unusable(Unusable(.notJSON))])
    }

    @Test func `a header that is there twice equals nothing`() throws {
        let members = #""user_id":"/id","rules":[{"when":{"header":"x-kind","equals":"a"},"person":"live"}]"#
        let mapping = try MappingBed.mapping(members)
        let said = { (values: [String]) in
            mapping.read(MappingBed.request(#"{"id":"u"}"#, headers: ["x-kind": values])).deliveries.first?.items
        }
        #expect(said(["a"])?.first?.word != nil)
        #expect(said(["a", "b"]) == [.ignored(.unrelated)] && said([]) == [.ignored(.unrelated)])
    }

    @Test func `an empty batch holds no delivery`() throws {
        #expect(try MappingBed.mapping(Self.split).read(MappingBed.request("[ ]")).deliveries.isEmpty)
    }

    @Test func `a long list is no longer for what its elements have in common`() throws {
        let long = String(repeating: "x", count: 400_000)
        let members = #"""
            "user_id":".","organization":{"first":["/org","/other","./x"]},
            "display_name":{"find":{"in":"/names","where":{"at":"/a","equals":"b"},"take":"/c"}},
            "rules":[{"words":[{"each":"/users","when":{"at":"/org","prefix":"y"},"person":"live"},
              {"each":"/users","when":{"not":{"at":".","same_as":"/org"}},"person":"live","membership":"live"}]}]
            """#
        let numbers = (0..<5000).map { "\($0)" }.joined(separator: ",")
        let names = (0..<5000).map { _ in #"{"a":"c"}"# }.joined(separator: ",")
        let body = #"{"org":"\#(long)","names":[\#(names)],"users":[\#(numbers)]}"#
        let mapping = try MappingBed.mapping(members, keepsPersonal: true)
        let time = ContinuousClock().measure {
            let items = mapping.read(MappingBed.request(body)).deliveries.flatMap(\.items)
            #expect(items.count == 5000 && items.allSatisfy { $0.unusable == Unusable(.tooLong, "/org") })
            let other = mapping.read(MappingBed.request(body.replacing(#"{"org""#, with: #"{"xxx""#))).deliveries
            #expect(other.flatMap(\.items).allSatisfy { $0.unusable?.reason == .missing })
        }
        // To look through the body for each of the elements would take minutes.
        #expect(time < .seconds(20))
    }

    @Test(arguments: ["a.b", "a.!!.c", "", "a.e30.c.d"])
    func `a body that should be a token and is none cannot be used`(body: String) throws {
        let items = try MappingBed.items(#""body":{"token":""},"# + Self.plain, body)
        #expect(items == [.unusable(Unusable(.badEncoding))])
    }

    @Test func `the claims that the proof has read are the body`() throws {
        let mapping = try MappingBed.mapping(#""body":{"token":""},"# + Self.plain)
        let request = ProvenRequest(
            headers: { _ in [] }, body: Array("x.y.z".utf8), receivedAt: MappingBed.now,
            claims: Array(#"{"id":"u"}"#.utf8))
        #expect(mapping.read(request).deliveries.first?.items.first?.word?.person.rawValue == "u")
    }
}
