// SPDX-License-Identifier: Apache-2.0
// An event says one word for each person and organisation that it names.

import Model
import Testing

@testable import Intake

@Suite struct WordsTests {
    private static let delta = #"""
        "type":"/type","organization":"/org","rules":[{"on":"changed","words":[
          {"each":"/added","user_id":".","membership":"live"},{"each":"/removed","user_id":".","membership":"gone"}]}]
        """#

    private static func said(_ items: [MappedItem]) -> [String] {
        items.map { item in
            switch item {
            case .word(let word):
                [
                    word.person.rawValue, word.ofPerson?.rawValue ?? "", word.ofMembership?.rawValue ?? "",
                    word.organization ?? "", word.tenant?.rawValue ?? "", word.isWeak ? "weak" : "",
                    word.isWhole ? "whole" : "",
                ].filter { !$0.isEmpty }.joined(separator: " ")
            case .ignored(let reason): "ignored \(reason.rawValue)"
            case .unusable(let unusable): "\(unusable.reason.rawValue) \(unusable.place)"
            }
        }
    }

    @Test func `two lists of plain ids in one event say opposite things`() throws {
        let body = #"{"type":"changed","org":"o","added":["a","b"],"removed":["c",7]}"#
        #expect(
            try Self.said(MappingBed.items(Self.delta, body)) == ["a live o", "b live o", "c gone o", "7 gone o"])
    }

    @Test func `one bad element spoils no other one`() throws {
        let body = #"{"type":"changed","org":"o","added":["a",{"id":"x"},"",null,"b\u0000",1.5,"c"],"removed":{"d":1}}"#
        #expect(
            try Self.said(MappingBed.items(Self.delta, body)) == [
                "a live o", "wrong_type /added/1", "empty /added/2", "null /added/3", "bad_text /added/4",
                "wrong_type /added/5", "c live o", "wrong_type /removed",
            ])
    }

    @Test(arguments: ["{}", #"{"added":null}"#, #"{"added":[],"removed":[]}"#])
    func `lists that name nobody ask nothing of us`(body: String) throws {
        let body = #"{"type":"changed","org":"o","x":\#(body)}"#
        #expect(try Self.said(MappingBed.items(Self.delta, body)) == ["ignored nobody"])
    }

    private static let whole = #"""
        "user_id":"/id","organization":"./code","rules":[{"each":{"in":"/orgs","if_empty":"once"},
          "person":"live","membership":"live","weak":true,"whole":true}]
        """#

    @Test func `the mark of a whole list stands on its last word`() throws {
        let body = #"{"id":"u","orgs":[{"code":"a"},{"code":"b"}]}"#
        #expect(
            try Self.said(MappingBed.items(Self.whole, body)) == ["u live live a weak", "u live live b weak whole"])
    }

    @Test(arguments: [#"{"id":"u","orgs":[]}"#, #"{"id":"u"}"#])
    func `an empty list is a whole one`(body: String) throws {
        #expect(try Self.said(MappingBed.items(Self.whole, body)) == ["u live weak whole"])
    }

    @Test func `a list with a bad element is not whole`() throws {
        let body = #"{"id":"u","orgs":[{"code":"a"},{"code":[]},{"code":"b"}]}"#
        #expect(
            try Self.said(MappingBed.items(Self.whole, body)) == [
                "u live live a weak", "wrong_type /orgs/1/code", "u live live b weak",
            ])
    }

    @Test func `with one fixed tenant a person's organisations are one word`() throws {
        let fixed = TenantChoice.fixed(try TenantID("acme"))
        let body = #"{"id":"u","orgs":[{"code":"a"},{"code":"b"}]}"#
        let items = try MappingBed.items(Self.whole, body, tenants: fixed)
        #expect(Self.said(items).map { $0.replacing(" whole", with: "") } == ["u live acme weak"])
        let members = try MappingBed.items(
            Self.delta, #"{"type":"changed","org":"o","added":["a"]}"#, tenants: fixed)
        #expect(Self.said(members) == ["ignored membership"])
    }

    @Test func `an event may name only an allowed tenant`() throws {
        let allowed = TenantChoice.allowed([try TenantID("acme")])
        let members = #""user_id":"/id","organization":"/t","rules":[{"person":"live","membership":"live"}]"#
        let said = { (body: String) throws in try Self.said(MappingBed.items(members, body, tenants: allowed)) }
        #expect(try said(#"{"id":"u","t":"acme"}"#) == ["u live live acme acme"])
        #expect(try said(#"{"id":"u","t":"globex"}"#) == ["tenant_not_allowed /t"])
        #expect(try said(#"{"id":"u","t":"Acme"}"#) == ["tenant_not_allowed /t"])
        #expect(try said(#"{"id":"u"}"#) == ["missing /t"])
    }

    @Test func `a word without its organisation is on the person alone, if the configuration says so`() throws {
        let members = #"""
            "user_id":"/id","organization":"/t","organization_absent":"person_alone",
            "rules":[{"when":{"at":"/m","equals":true},"membership":"live"},{"person":"live","membership":"live"}]
            """#
        let said = { (body: String) throws in try Self.said(MappingBed.items(members, body)) }
        #expect(try said(#"{"id":"u","t":"o"}"#) == ["u live live o"])
        #expect(try said(#"{"id":"u"}"#) == ["u live"])
        #expect(try said(#"{"id":"u","t":null}"#) == ["u live"])
        #expect(try said(#"{"id":"u","t":""}"#) == ["u live"])
        // Nothing would be left of a word on a membership alone.
        #expect(try said(#"{"id":"u","m":true}"#) == ["missing /t"])
    }

    @Test func `the first rule whose conditions all hold says what an event means`() throws {
        let members = #"""
            "type":"/type","user_id":"/id","organization":"/o","rules":[
            {"on":"m","when":[{"at":"/s","equals":"pending"}],"membership":"invited"},
            {"on":["m","n"],"when":[{"at":"/s","one_of":["active",1]},{"not":{"at":"/x","exists":true}}],
             "membership":"live"},
            {"on":"m","when":{"at":"/s","prefix":"in"},"membership":"gone"},
            {"on":"m","when":{"at":"/l","empty":true},"ignore":"anonymous"},
            {"on":"m","when":{"at":"/l","same_as":"/id"},"person":"suspended"}]
            """#
        let said = { (more: String) throws in
            try Self.said(MappingBed.items(members, #"{"type":"m","id":"u","o":"o",\#(more)}"#)).first
        }
        #expect(try said(#""s":"pending""#) == "u invited o")
        #expect(try said(#""s":"active""#) == "u live o")
        #expect(try said(#""s":1"#) == "u live o")
        #expect(try said(#""s":"1","l":[1]"#) == "ignored unrelated")
        #expect(try said(#""s":"active","x":0,"l":"z""#) == "ignored unrelated")
        #expect(try said(#""s":"inactive""#) == "u gone o")
        #expect(try said(#""l":{ }"#) == "ignored anonymous")
        #expect(try said(#""l":"u""#) == "u suspended")
        #expect(try said(#""s":"\u0070ending""#) == "u invited o")
    }

    @Test(arguments: ["fake-id", "test-1"])
    func `the users of test sends are passed`(id: String) throws {
        let members = #""user_id":"/id","ignore_users":["fake-id",{"prefix":"test-"}],"rules":[{"person":"live"}]"#
        #expect(try Self.said(MappingBed.items(members, #"{"id":"\#(id)"}"#)) == ["ignored test"])
        #expect(try Self.said(MappingBed.items(members, #"{"id":"x\#(id)"}"#)) == ["x\(id) live"])
    }

    @Test func `names and addresses are read only where they are kept, and never spoil a word`() throws {
        let members = #"""
            "user_id":"/id","display_name":{"join":["/first","/last"]},
            "email":{"find":{"in":"/mails","where":{"at":"/id","same_as":"/main"},"take":"/mail"}},
            "rules":[{"person":"live"}]
            """#
        let body =
            #"{"id":"u","first":"Ada","last":"Ōta","main":2,"mails":[{"id":1,"mail":"a@x"},{"id":2,"mail":"b@x"}]}"#
        let kept = try MappingBed.mapping(members, keepsPersonal: true).read(MappingBed.request(body)).deliveries
        #expect(kept.first?.items.first?.word?.displayName == "Ada Ōta")
        #expect(kept.first?.items.first?.word?.email == "b@x")
        let left = try #require(try MappingBed.items(members, body).first?.word)
        #expect(left.displayName == nil && left.email == nil)
        let odd = #"{"id":"u","first":"\u0007","main":1,"mails":7}"#
        let mapping = try MappingBed.mapping(members, keepsPersonal: true)
        #expect(mapping.read(MappingBed.request(odd)).deliveries.first.map { Self.said($0.items) } == ["u live"])
    }

    @Test func `an error names the place where the value stood, also of several`() throws {
        let members = #"""
            "user_id":{"first":["/a","/b"]},"organization":{"first":["/o","/p/q"]},
            "rules":[{"person":"live","membership":"live"}]
            """#
        let allowed = TenantChoice.allowed([try TenantID("acme")])
        let said = { (body: String) throws in try Self.said(MappingBed.items(members, body, tenants: allowed)) }
        #expect(try said(#"{"b":"u","p":{"q":"globex"}}"#) == ["tenant_not_allowed /p/q"])
        #expect(try said(#"{"a":"","b":"\u0007","o":"acme"}"#) == ["bad_text /b"])
        #expect(try said(#"{"a":"","b":"u","o":"acme"}"#) == ["u live live acme acme"])
    }
}
