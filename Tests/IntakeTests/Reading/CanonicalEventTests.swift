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

    @Test func `an event of another type asks for nothing`() throws {
        #expect(
            try CanonicalEvent.read(Array(#"{"type":"session.created"}"#.utf8)) == .nothing(type: "session.created"))
    }

    @Test(arguments: [
        (#"{"type":1}"#, "type"), (#"[]"#, "body"), (#"{"type":"user.created"}"#, "data"),
        (#"{"type":"user.created","data":{}}"#, "data.user_id"),
        (#"{"type":"user.created","data":{"user_id":""}}"#, "data.user_id"),
        (#"{"type":"user.created","data":[{"user_id":"u"},{"user_id":""}]}"#, "data[1].user_id"),
        (#"{"type":"user.created","data":"u"}"#, "data"), (#"{"type":"user.created","data":[]}"#, "data"),
        (#"{"type":"user.created","data":[{"user_id":"u"},{}]}"#, "data[1].user_id"),
        (#"{"type":"user.created","data":[{"user_id":"u","tenant_id":7}]}"#, "data[0].tenant_id"),
        (#"{"type":"user.created","data":{"user_id":"u","tenant_id":"A B"}}"#, "data.tenant_id"),
        (#"{"type":"user.created","data":{"user_id":"u","tenant_id":7}}"#, "data.tenant_id"),
        (#"{"type":"user.created","timestamp":"yesterday","data":{"user_id":"u"}}"#, "timestamp"),
        (#"{"type":"user.created","timestamp":"2026-01-01T00:00:00","data":{"user_id":"u"}}"#, "timestamp"),
    ])
    func `the error for an invalid event names the wrong member`(body: String, field: String) {
        let error = #expect(throws: InvalidValue.self) { try CanonicalEvent.read(Array(body.utf8)) }
        #expect(error?.field == field)
    }
}
