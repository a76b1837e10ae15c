// SPDX-License-Identifier: Apache-2.0
// Times are read as their senders write them, and a time that is none gives nobody a credential.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct MomentsTests {
    @Test(arguments: [
        ("rfc3339", #""2026-11-23T11:59:30.125Z""#, 1_795_435_170.125),
        ("rfc3339", #""2026-11-23T11:59:30.125678901Z""#, 1_795_435_170.125679),
        ("rfc3339", #""2026-11-23T03:59:30.125001-08:00""#, 1_795_435_170.125001),
        ("rfc3339-utc", #""2026-11-23 11:59:30.125""#, 1_795_435_170.125),
        ("rfc3339-utc", #""2026-11-23T12:59:30+01:00""#, 1_795_435_170),
        ("seconds", "1795435170", 1_795_435_170), ("seconds", #""1795435170""#, 1_795_435_170),
        ("seconds", "1795435170.125", 1_795_435_170.125), ("seconds", "1.79543517e9", 1_795_435_170),
        ("milliseconds", "1795435170125", 1_795_435_170.125), ("milliseconds", #""1795435170125""#, 1_795_435_170.125),
        ("auto", "1795435170", 1_795_435_170), ("auto", "1795435170125", 1_795_435_170.125),
        ("auto", #""1795435170125""#, 1_795_435_170.125), ("auto", "100000000000", 100_000_000),
    ])
    func `a time is read in its form`(form: String, json: String, seconds: Double) throws {
        let moment = try Self.word(#""as":"\#(form)""#, json, person: "live").word?.moment
        guard case .at(let date)? = moment else {
            Issue.record("no time: \(String(describing: moment))")
            return
        }
        #expect(abs(date.timeIntervalSince1970 - seconds) < 1e-6)
    }

    @Test(arguments: [
        ("rfc3339", #""0001-01-01T00:00:00Z""#), ("rfc3339", #""1969-12-31T23:59:59Z""#), ("seconds", "0"),
        ("milliseconds", "-62135596800000"), ("auto", "0"), ("rfc3339", "null"), ("rfc3339", #""""#),
    ])
    func `a year before 1970, null and an empty text are no time`(form: String, json: String) throws {
        #expect(try Self.word(#""as":"\#(form)""#, json, person: "live").word?.moment == .unknown)
        #expect(try Self.word(#""as":"\#(form)""#, json, person: "deleted").word?.moment == .unknown)
        let arrival = #""as":"\#(form)""#
        #expect(try Self.word(arrival, json, person: "live", order: "arrival").word?.moment == .arrival)
    }

    @Test(arguments: [
        ("rfc3339", #""yesterday""#, Unusable.Reason.badTime), ("rfc3339", #""2026-11-23 11:59:30""#, .badTime),
        ("rfc3339", "1795435170", .badTime), ("auto", #""2026-11-23T11:59:30Z""#, .badTime),
        ("seconds", #""0x10""#, .badTime), ("seconds", #""nan""#, .badTime), ("seconds", "1e999", .badTime),
        ("milliseconds", "{}", .wrongType), ("milliseconds", "true", .wrongType), ("seconds", "1795435501", .timeAhead),
        ("auto", "1795435500001", .timeAhead), ("rfc3339", #""9999-01-01T00:00:00Z""#, .timeAhead),
    ])
    func `an unreadable time spoils a sign-up, and a deletion counts as of its arrival`(
        form: String, json: String, reason: Unusable.Reason
    ) throws {
        let unusable = try Self.word(#""as":"\#(form)""#, json, person: "live").unusable
        #expect(unusable == Unusable(reason, "/t"))
        #expect(try Self.word(#""as":"\#(form)""#, json, person: "deleted").word?.moment == .arrival)
        #expect(try Self.word(#""as":"\#(form)""#, json, person: "suspended").word?.moment == .arrival)
    }

    @Test func `five minutes ahead are taken as they are`() throws {
        let moment = try Self.word(#""as":"seconds""#, "1795435500", person: "live").word?.moment
        #expect(moment == .at(MappingBed.now + 300))
    }

    @Test func `a time that is there is kept where arrival counts for those that are not`() throws {
        let moment = try Self.word(#""as":"seconds""#, "1795435100", person: "live", order: "arrival").word?.moment
        #expect(moment == .at(MappingBed.now - 100))
    }

    @Test func `the first time that is there counts`() throws {
        let members = #"""
            "user_id":"/id","time":{"first":[{"at":"/a","as":"milliseconds"},{"at":"/b","as":"seconds"}]},
            "rules":[{"person":"live"}]
            """#
        for (body, seconds) in [
            (#""a":1795435170125,"b":1"#, 1_795_435_170.125), (#""a":0,"b":1795435170"#, 1_795_435_170),
        ] {
            let item = try MappingBed.items(members, #"{"id":"u",\#(body)}"#).first
            #expect(item?.word?.moment == .at(Date(timeIntervalSince1970: seconds)))
        }
    }

    private static func word(
        _ form: String, _ json: String, person: String, order: String = "sender"
    ) throws -> MappedItem {
        let members = #"""
            "user_id":"/id","order":"\#(order)","time":{"at":"/t",\#(form)},"rules":[{"person":"\#(person)"}]
            """#
        let items = try MappingBed.items(members, #"{"id":"u","t":\#(json)}"#)
        return try #require(items.first)
    }
}
