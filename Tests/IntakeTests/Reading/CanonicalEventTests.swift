// SPDX-License-Identifier: Apache-2.0
// A canonical event says what it asks for, and the error for an invalid one names the wrong member.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct CanonicalEventTests {
    @Test func `a sign-up is read with its user, tenant and time`() throws {
        let body = """
            {"type":"user.created","timestamp":"2026-01-01T00:00:00Z","extra":[],
             "data":{"user_id":"u-1","tenant_id":"acme","email":"a@b.co"}}
            """
        #expect(
            try CanonicalEvent.read(Array(body.utf8))
                == .changes(
                    [CanonicalEvent.Request(user: UserID("u-1"), tenant: TenantID("acme"), place: "data")],
                    wanted: .live,
                    occurredAt: Date(timeIntervalSince1970: 1_767_225_600)))
    }

    @Test func `one delivery may be about several users`() throws {
        let body =
            #"{"type":"user.deleted","data":[{"user_id":"a"},{"user_id":"b","tenant_id":"acme"},{"user_id":"a"}]}"#
        let request = { (user: String, tenant: String?, place: Int) throws in
            CanonicalEvent.Request(
                user: try UserID(user), tenant: try tenant.map { try TenantID($0) }, place: "data[\(place)]")
        }
        #expect(
            try CanonicalEvent.read(Array(body.utf8))
                == .changes(
                    [request("a", nil, 0), request("b", "acme", 1), request("a", nil, 2)], wanted: .gone,
                    occurredAt: nil))
    }

    @Test(arguments: [
        "{}", #"{"type":"session.created"}"#, #"{"event":"test"}"#, #"{"type":""}"#, #"{"type":null}"#, #"{"type":1}"#,
        #"{"type":["user.created"]}"#, #"{"type":"user.created "}"#, #"{"type":"User.Created"}"#,
        #"{"data":{"user_id":"u"}}"#, #"{"TYPE":"user.created","data":{"user_id":"u"}}"#,
        // Their other members are not read.
        #"{"type":"session.created","timestamp":"never","data":7}"#,
        #"{"data":{"user_id":"\u0000","user_id":1},"data":[],"timestamp":1,"timestamp":2,"type":"x"}"#,
    ])
    func `a JSON object that asks nothing of us is no error`(body: String) throws {
        guard case .nothing = try CanonicalEvent.read(Array(body.utf8)) else {
            Issue.record("it asks for something")
            return
        }
    }

    @Test func `a sign-up is read whatever the members hold that nobody reads`() throws {
        let deep = String(repeating: "[", count: 50_000) + String(repeating: "]", count: 50_000)
        let big = String(repeating: "9", count: 5000)
        let body = """
            {"type":"user.created","name":"\\ud83d \\u0000","n":1,"n":2,"deep":\(deep),"big":\(big),
             "data":{"nick":"\\ud800","user_id":"u-1","User_ID":7,"x":NaN,"x":{"user_id":"v","tenant_id":[]}}}
            """
        #expect(
            try CanonicalEvent.read(Array(body.utf8))
                == .changes(
                    [CanonicalEvent.Request(user: UserID("u-1"), tenant: nil, place: "data")], wanted: .live,
                    occurredAt: nil))
    }

    @Test(arguments: [
        #"{"type":"user.created","type":"user.deleted","data":{"user_id":"u"}}"#,
        #"{"type":"user.created","data":{"user_id":"u"},"data":{"user_id":"v"}}"#,
        #"{"type":"user.created","data":{"user_id":"u","user_id":"u"}}"#,
        #"{"type":"user.created","data":{"user_id":"u","user\u005fid":"v"}}"#,
        #"{"type":"user.created","data":[{"user_id":"u"},{"user_id":"v","tenant_id":null,"tenant_id":null}]}"#,
        #"{"type":"user.created","timestamp":null,"timestamp":null,"data":{"user_id":"u"}}"#,
        #"{"type":"user.created","data":{"user_id":"\u0000"}}"#,
        #"{"type":"user.created","data":{"user_id":"\ud800"}}"#,
        #"{"type":"user.created\ud800"}"#, "", "[]", "{", #"{"type":"user.created","data":{"user_id":"u"}"#,
    ])
    func `a member that is read is strict JSON and is there once`(body: String) {
        let error = #expect(throws: UnusableBody.self) { try CanonicalEvent.read(Array(body.utf8)) }
        guard case .notJSON = error else {
            Issue.record("\(body): \(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        (#"{"type":"user.created"}"#, "data"), (#"{"type":"user.created","data":null}"#, "data"),
        (#"{"type":"user.created","data":{}}"#, "data.user_id"),
        (#"{"type":"user.created","data":{"user_id":""}}"#, "data.user_id"),
        (#"{"type":"user.created","data":{"user_id":7}}"#, "data.user_id"),
        (#"{"type":"user.created","data":{"user_id":"a\u009b2J"}}"#, "data.user_id"),
        (#"{"type":"user.created","data":{"user_id":"a\u202eb"}}"#, "data.user_id"),
        (#"{"type":"user.created","data":[{"user_id":"u"},{"user_id":""}]}"#, "data[1].user_id"),
        (#"{"type":"user.created","data":"u"}"#, "data"), (#"{"type":"user.created","data":[]}"#, "data"),
        (#"{"type":"user.created","data":[1]}"#, "data[0]"),
        (#"{"type":"user.created","data":[{"user_id":"u"},{}]}"#, "data[1].user_id"),
        (#"{"type":"user.created","data":[{"user_id":"u","tenant_id":7}]}"#, "data[0].tenant_id"),
        (#"{"type":"user.created","data":{"user_id":"u","tenant_id":"A B"}}"#, "data.tenant_id"),
        (#"{"type":"user.created","data":{"user_id":"u","tenant_id":7}}"#, "data.tenant_id"),
        (#"{"type":"user.created","timestamp":"yesterday","data":{"user_id":"u"}}"#, "timestamp"),
        (#"{"type":"user.created","timestamp":1700000000,"data":{"user_id":"u"}}"#, "timestamp"),
        (#"{"type":"user.created","timestamp":"2026-02-30T00:00:00Z","data":{"user_id":"u"}}"#, "timestamp"),
        (#"{"type":"user.created","timestamp":"2026-01-01T00:00:00","data":{"user_id":"u"}}"#, "timestamp"),
    ])
    func `the error for an invalid event names the wrong member`(body: String, field: String) {
        let error = #expect(throws: UnusableBody.self) { try CanonicalEvent.read(Array(body.utf8)) }
        guard case .wrongValue(let value) = error else {
            Issue.record("\(body): \(String(describing: error))")
            return
        }
        #expect(value.field == field)
    }

    @Test func `a delivery names at most 1,000 users, and one user at most eight times`() throws {
        for (count, isRead) in [(1000, true), (1001, false)] {
            let users = (0..<count).map { "{\"user_id\":\"u-\($0)\"}" }.joined(separator: ",")
            let body = Array("{\"type\":\"user.created\",\"data\":[\(users)]}".utf8)
            #expect(((try? CanonicalEvent.read(body)) != nil) == isRead, "\(count)")
        }
        for (count, isRead) in [(8, true), (9, false)] {
            let users = Array(repeating: #"{"user_id":"u"}"#, count: count).joined(separator: ",")
            let body = Array("{\"type\":\"user.created\",\"data\":[\(users)]}".utf8)
            #expect(((try? CanonicalEvent.read(body)) != nil) == isRead, "\(count)")
        }
    }
}
