// SPDX-License-Identifier: Apache-2.0
// A configuration with a fault is refused, and the error names the place and what was meant.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SourceConfigurationTests {
    private static let rest = #""user_id":"/id","rules":[{"person":"live"}]"#

    @Test(arguments: [
        (#"{"user_id":"/id"}"#, "/grammar is needed"),
        (#"{"grammar":2}"#, "/grammar must be 1"),
        (#"{"grammar":"1"}"#, "/grammar must be 1"),
        ("[]", "the configuration must be an object, and is a list"),
        ("", "the configuration ends"),
        (#"{"grammar":1,"grammar":1}"#, "the configuration has a key twice"),
        (#"{"grammar":1,"ruels":[]}"#, #"/ruels is not known here; the nearest known key is "rules""#),
        (#"{"grammar":1,"a/b~":1}"#, "/a~1b~0 is not known here"),
        (#"{"grammar":1,"preset":"clerc"}"#, #"/preset is not known; the nearest known preset is "clerk""#),
        (#"{"grammar":1,"preset":1}"#, "/preset must be a string, and is a number"),
    ])
    func `a wrong frame is told`(text: String, message: String) {
        Self.expect(text, message)
    }

    @Test(arguments: [
        (#""rules":[{"person":"live"}]"#, "/rules/0 names nobody"),
        (#""user_id":"/id","rules":[{"membership":"live"}]"#, "/rules/0 says a membership"),
        (
            #""user_id":"/id","rules":[{"persn":"live"}]"#,
            #"/rules/0/persn is not known here; the nearest known key is "person""#
        ),
        (
            #""user_id":"/id","rules":[{"person":"alive"}]"#,
            #"/rules/0/person must be one of live, suspended, deleted; the nearest is "live""#
        ),
        (#""user_id":"/id","rules":[{"person":"live","ignore":"test"}]"#, "/rules/0 must say one thing"),
        (#""user_id":"/id","rules":[{}]"#, "/rules/0 must say one thing"),
        (#""user_id":"/id","rules":[{"ignore":"rubbish"}]"#, "/rules/0/ignore must be one of"),
        (#""user_id":"/id","rules":[{"on":"a","person":"live"}]"#, #"/rules/0/on needs a "type""#),
        (#""user_id":"/id","rules":{"a":1}"#, "/rules must be a list, and is an object"),
        (#""user_id":"id","rules":[{"person":"live"}]"#, "/user_id must be a JSON Pointer (RFC 6901): it must begin"),
        (#""user_id":"/a~2","rules":[{"person":"live"}]"#, "/user_id must be a JSON Pointer"),
        (#""user_id":"./id","rules":[{"person":"live"}]"#, #"/user_id begins with '.', and has no "each""#),
        (
            #""user_id":{"at":"/a","header":"b"},"rules":[{"person":"live"}]"#,
            "/user_id needs exactly one of at, header"
        ),
        (
            #""user_id":{"at":"/a","percent":true},"rules":[{"person":"live"}]"#,
            #"/user_id/percent does not go with "at""#
        ),
        (#""user_id":{"header":"a b"},"rules":[{"person":"live"}]"#, "/user_id/header must be a header's name"),
        (#""user_id":{"first":[]},"rules":[{"person":"live"}]"#, "/user_id/first must not be empty"),
        (
            #""user_id":{"find":{"in":"/a","take":"/b"}},"rules":[{"person":"live"}]"#,
            "/user_id/find/where must be an object"
        ),
        (
            #""user_id":{"find":{"in":"/a","where":{"at":"/b"},"take":"/b"}},"rules":[{"person":"live"}]"#,
            "/user_id/find/where needs exactly one of equals, same_as"
        ),
        (#""user_id":{"at":"/a","holds":"json"},"rules":[{"person":"live"}]"#, "/user_id/take is needed"),
        (
            #""user_id":"/id","rules":[{"when":{"at":"/a"},"person":"live"}]"#,
            "/rules/0/when needs exactly one of equals"
        ),
        (
            #""user_id":"/id","rules":[{"when":[{"equals":1}],"person":"live"}]"#,
            "/rules/0/when/0 needs exactly one of at, header, not"
        ),
        (
            #""user_id":"/id","rules":[{"when":{"at":"/a","equals":null},"person":"live"}]"#,
            "/rules/0/when/equals must be a string, a number or a boolean, and is null"
        ),
        (
            #""user_id":"/id","rules":[{"when":{"not":{"at":"/a","exists":1}},"person":"live"}]"#,
            "/rules/0/when/not/exists must be a boolean"
        ),
        (
            #""split":"/a","user_id":"/id","rules":[{"each":"$/b","person":"live"}]"#,
            "/rules/0/each must be a list of the event"
        ),
        (
            #""user_id":"/id","time":{"at":"/t","as":"second"},"rules":[{"person":"live"}]"#,
            #"/time/as must be one of rfc3339, rfc3339-utc, seconds, milliseconds, auto; the nearest is "seconds""#
        ),
        (#""user_id":"/id","order":"arival","rules":[{"person":"live"}]"#, #"the nearest is "arrival""#),
    ])
    func `a wrong rule is told with its place`(members: String, message: String) {
        Self.expect(#"{"grammar":1,"tenant":"table",\#(members)}"#, message)
    }

    @Test(arguments: [
        (#""tenant":{"fixed":"Acme"}"#, "/tenant/fixed must be 1 to 63 characters"),
        (#""tenant":{}"#, #"/tenant must be "table", or have exactly one"#),
        (#""options":["a"]"#, "/tenant is needed"),
        (#""tenant":"table","options":["bans"]"#, #"/options has "bans", which no rule knows"#),
        (
            #""tenant":"table","answers":{"any":{"status":404}}"#,
            "/answers/any/status must be a whole number of 200 to 299"
        ),
        (#""tenant":"table","answers":{"acepted":{"status":200}}"#, #"the nearest known key is "accepted""#),
        (#""tenant":"table","answers":{"any":{"status":204,"body":"{}"}}"#, "/answers/any/body cannot go with"),
        (#""tenant":"table","handshakes":[{"method":"PUT"}]"#, #"/handshakes/0/method must be one of GET, OPTIONS"#),
        (
            #""tenant":"table","variants":[{"when":{"at":"/a","exists":true}}]"#,
            "/variants/0/when may ask for headers only"
        ),
        (
            #""tenant":"table","variants":[{"when":{"header":"a","exists":true},"rules":[{"ignore":1}]}]"#,
            "/variants/0/rules/0/ignore must be a string"
        ),
        (#""tenant":"table","quarantine":"all""#, "/quarantine must be one of body, picks"),
        (#""tenant":"table","proofs":{}"#, "/proofs must be a list"),
        (#""tenant":"table","body":"form""#, #"/body must be "json""#),
        (#""tenant":"table","split":{"at":"/a","lines":true}"#, "/split/lines goes only with"),
    ])
    func `a wrong setting is told with its place`(members: String, message: String) {
        Self.expect(#"{"grammar":1,\#(members),\#(Self.rest)}"#, message)
    }

    @Test func `the nearest known option is named`() {
        Self.expect(#"{"grammar":1,"preset":"clerk","options":["ban"]}"#, #"; the nearest known option is "bans""#)
    }

    @Test func `a rule that is switched off is read all the same`() {
        Self.expect(
            #"{"grammar":1,"tenant":"table","rules":[{"option":"x","person":"live"}]}"#, "/rules/0 names nobody")
    }

    private static func expect(_ text: String, _ message: String) {
        let error = #expect(throws: InvalidValue.self) { try Mapping(SourceConfiguration(Array(text.utf8))) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "") has not: \(message)")
    }

    @Test func `a source's own members stand before its preset's`() throws {
        let text = #"{"grammar":1,"preset":"clerk","user_id":{"fixed":"u"},"tenant":{"fixed":"acme"}}"#
        let mapping = try Mapping(SourceConfiguration(Array(text.utf8)))
        let item = mapping.read(MappingBed.request(#"{"type":"user.created","data":{"id":"x"}}"#)).deliveries[0].items[
            0]
        #expect(item.word?.person.rawValue == "u")
        #expect(item.word?.tenant?.rawValue == "acme")
    }

    @Test func `extra rules stand before a preset's`() throws {
        let text = #"{"grammar":1,"preset":"clerk","extra_rules":[{"on":"user.created","ignore":"test"}]}"#
        let mapping = try Mapping(SourceConfiguration(Array(text.utf8)))
        let deliveries = mapping.read(MappingBed.request(#"{"type":"user.created","data":{"id":"x"}}"#)).deliveries
        #expect(deliveries.map(\.items) == [[.ignored(.test)]])
    }

    @Test func `the examples of the page are configurations`() throws {
        let page = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../docs/sources/mapping.md")
        let text = try String(contentsOf: page.standardized, encoding: .utf8)
        let examples = text.split(separator: "```json\n").dropFirst().compactMap { $0.split(separator: "```").first }
        #expect(examples.count == 4)
        for example in examples {
            #expect(throws: Never.self) { try Mapping(SourceConfiguration(Array(example.utf8))) }
        }
    }

    @Test func `a variant says other things for other headers`() throws {
        let mapping = try MappingBed.mapping(
            #"""
            "split":"/events","user_id":"/id","rules":[{"person":"live"}],"variants":[
              {"when":{"header":"x-form","equals":"one"},"split":null},
              {"when":{"not":{"header":"content-type","prefix":"application/"}},"user_id":"/name"}]
            """#)
        let said = { (body: String, headers: [String: [String]]) in
            mapping.read(MappingBed.request(body, headers: headers)).deliveries.flatMap(\.items).map {
                $0.word?.person.rawValue
            }
        }
        let json = ["content-type": ["Application/json"]]
        let batch = #"{"events":[{"id":"a","name":"b"}]}"#
        #expect(said(batch, json) == ["a"])
        #expect(said(batch, [:]) == ["b"])
        #expect(said(#"{"id":"c"}"#, json.merging(["x-form": ["one"]]) { old, _ in old }) == ["c"])
    }
}
