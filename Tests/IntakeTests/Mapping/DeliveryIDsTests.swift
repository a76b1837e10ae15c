// SPDX-License-Identifier: Apache-2.0
// A delivery's id is the sender's own, or readable values in their order, or the hash of what was sent.

import Crypto
import Foundation
import Model
import Testing

@testable import Intake

@Suite struct DeliveryIDsTests {
    private static let rest =
        #""user_id":"/u","rules":[{"on":"made","person":"live"},{"on":"gone","person":"deleted"}]"#

    private static func delivery(_ id: String, _ body: String, headers: [String: [String]] = [:]) throws
        -> MappedDelivery
    {
        let mapping = try MappingBed.mapping(#""type":"/type","delivery_id":\#(id),\#(Self.rest)"#)
        return try #require(mapping.read(MappingBed.request(body, headers: headers)).deliveries.first)
    }

    private static let parts = #"{"parts":["/a","/b",{"part":"/t","or_arrival":true}]}"#

    @Test func `a composite is a JSON array of its parts in their order`() throws {
        let made = try Self.delivery(Self.parts, #"{"type":"made","u":"u","b":42,"a":"x\"ü","t":"now"}"#)
        #expect(made.id == #"["x\"ü","42","now"]"#)
    }

    @Test func `the arrival stands for a missing time when something is taken away, and only then`() throws {
        #expect(try Self.delivery(Self.parts, #"{"type":"made","u":"u","a":"x"}"#).id == #"["x",null,null]"#)
        let gone = try Self.delivery(Self.parts, #"{"type":"gone","u":"u","a":"x","b":null}"#)
        #expect(gone.id == #"["x",null,"2026-11-23T12:00:00.000Z"]"#)
        #expect(try Self.delivery(Self.parts, #"{"type":"gone","u":"u","a":"x","t":"t"}"#).id == #"["x",null,"t"]"#)
    }

    @Test func `the parts cannot run into each other`() throws {
        let one = try Self.delivery(#"{"parts":["/a","/b"]}"#, #"{"a":"x\",\"y","b":"z"}"#)
        let other = try Self.delivery(#"{"parts":["/a","/b"]}"#, #"{"a":"x","b":"y\",\"z"}"#)
        #expect(one.id != other.id)
    }

    @Test(arguments: [255, 256, 300])
    func `an id over 255 bytes keeps 180 of them and its hash`(count: Int) throws {
        // ["…"] has four bytes more than its part.
        let id = #"["\#(String(repeating: "a", count: count - 4))"]"#
        let body = #"{"type":"made","u":"u","a":"\#(String(repeating: "a", count: count - 4))"}"#
        let delivery = try Self.delivery(#"{"parts":["/a"]}"#, body)
        #expect(id.utf8.count == count)
        guard count > 255 else {
            #expect(delivery.id == id)
            return
        }
        let hash = SHA256.hash(data: Array(id.utf8)).map { byte in
            String(repeating: "0", count: byte < 16 ? 1 : 0) + String(byte, radix: 16)
        }.joined()
        #expect(delivery.id == String(id.prefix(180)) + "…" + hash)
        #expect(delivery.id.utf8.count == 247)
    }

    @Test func `a long id is cut between characters`() throws {
        let delivery = try Self.delivery(#""/a""#, #"{"a":"a\#(String(repeating: "ü", count: 200))"}"#)
        #expect(delivery.id.hasPrefix("a" + String(repeating: "ü", count: 89) + "…"))
        #expect(delivery.id.utf8.count <= 255)
    }

    @Test func `without an id the hash of the bytes is the id`() throws {
        let hash = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        #expect(try Self.delivery(#"{"hash":"body"}"#, "{}").id == hash)
        #expect(try Self.delivery(#""/a""#, "{}").id == hash)
        #expect(try Self.delivery(#"{"header":"x-id"}"#, "{}").id == hash)
        #expect(try Self.delivery(Self.parts, "{}").id == hash)
        #expect(try Self.delivery(#"{"parts":["/type",{"part":"/a","required":true}]}"#, "{}").id == hash)
    }

    @Test func `an id that is not certain makes a word unusable, and nothing else`() throws {
        for (body, reason) in [
            (#"{"type":"made","u":"u","a":"1","a":"2"}"#, Unusable.Reason.repeatedKey),
            (#"{"type":"made","u":"u","a":{}}"#, .wrongType),
            (#"{"type":"made","u":"u","a":"\u0007"}"#, .badText), (#"{"type":"made","u":"u","a":"\ud800"}"#, .badText),
        ] {
            let delivery = try Self.delivery(#""/a""#, body)
            #expect(delivery.id.hasPrefix("sha256:"))
            #expect(delivery.items.first?.unusable?.reason == reason)
        }
        let ignored = try Self.delivery(#""/a""#, #"{"type":"other","a":{}}"#)
        #expect(ignored.items == [.ignored(.unrelated)])
    }

    @Test func `the id that the proof covers is taken, and a header that is there twice is not`() throws {
        let id = #"{"first":[{"proven":"delivery_id"},{"header":"x-id"}]}"#
        let mapping = try MappingBed.mapping(#""type":"/type","delivery_id":\#(id),\#(Self.rest)"#)
        let body = #"{"type":"made","u":"u"}"#
        let proven = MappingBed.request(body, headers: ["x-id": ["other"]], provenID: "msg_1")
        #expect(mapping.read(proven).deliveries.map(\.id) == ["msg_1"])
        let twice = mapping.read(MappingBed.request(body, headers: ["x-id": ["a", "b"]])).deliveries
        #expect(twice.first?.items.first?.unusable == Unusable(.repeatedHeader, "header x-id"))
    }

    @Test func `events of one request without ids have the hash of their own bytes`() throws {
        let mapping = try MappingBed.mapping(
            #""split":"",\#(Self.rest.replacing(#""on":"made","#, with: ""))"#.replacing(
                #""on":"gone","#, with: ""))
        let ids = mapping.read(MappingBed.request(#"[{"u":"a"},{"u":"b"},{"u":"a"}]"#)).deliveries.map(\.id)
        #expect(Set(ids).count == 2 && ids[0] == ids[2] && ids.allSatisfy { $0.hasPrefix("sha256:") })
    }

    @Test func `nothing of one event counts for the next one of its request`() throws {
        let find = #"{"find":{"in":"/list","where":{"at":"/a","equals":1},"take":"/b"}}"#
        let members = #""split":"","delivery_id":\#(find),"user_id":\#(find),"rules":[{"person":"live"}]"#
        let body = #"[{"list":[{"a":1,"b":"x"}]},7,{"list":[{"a":1,"b":"y"}]},{"list":[]}]"#
        let deliveries = try MappingBed.mapping(members).read(MappingBed.request(body)).deliveries
        #expect(deliveries.map { $0.items.first?.word?.person.rawValue } == ["x", nil, "y", nil])
        #expect(deliveries.map { $0.id.hasPrefix("sha256:") } == [false, true, false, true])
        #expect(deliveries[3].items == [.unusable(Unusable(.noMatch, "/3/list"))])
    }

    @Test func `an event whose words all take something away has its arrival in its id`() throws {
        let members = #"""
            "delivery_id":{"parts":["/o",{"part":"/t","or_arrival":true}]},"organization":"/o","user_id":".",
            "rules":[{"words":[{"each":"/in","membership":"live"},{"each":"/out","membership":"gone"}]}]
            """#
        let id = { (lists: String) throws in
            try MappingBed.mapping(members).read(MappingBed.request(#"{"o":"x",\#(lists)}"#)).deliveries.first?.id
        }
        #expect(try id(#""out":["a"]"#) == #"["x","2026-11-23T12:00:00.000Z"]"#)
        #expect(try id(#""in":["b"],"out":["a"]"#) == #"["x",null]"#)
    }
}
