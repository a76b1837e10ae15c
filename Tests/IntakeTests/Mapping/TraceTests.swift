// SPDX-License-Identifier: Apache-2.0
// A trace tells what each part of a mapping has picked, and shows no secret.

import Model
import Testing

@testable import Intake

@Suite struct TraceTests {
    private static func steps(_ members: String, _ body: String) throws -> [String] {
        let (_, steps) = try MappingBed.mapping(members).trace(
            MappingBed.request(body, headers: ["x-id": ["d"]]), showsPersonal: true)
        return steps.map { step in
            let picked: String
            switch step.picked {
            case .value(let value): picked = value
            case .nothing: picked = "nothing"
            case .secret: picked = "secret"
            case .unusable(let unusable): picked = unusable.reason.rawValue
            }
            return "\(step.part) \(step.place ?? "-") \(picked)"
        }
    }

    @Test func `each part is told with its place and value`() throws {
        let members = #"""
            "type":"/type","delivery_id":{"header":"x-id"},"user_id":{"first":["/none","/id"]},"organization":"/o/id",
            "actor":"/by","time":"/at",
            "rules":[{"on":"other","ignore":"test"},{"on":"made","person":"live","membership":"live"}]
            """#
        let body = #"{"type":"made","id":"u","by":"admin","o":{"id":"org"},"at":"2026-11-23T11:00:00Z"}"#
        #expect(
            try Self.steps(members, body) == [
                "type /type made", "actor /by admin", "rule - /rules/1", "user_id /id u",
                "time /at 2026-11-23T11:00:00Z",
                "organization /o/id org", "delivery_id - d",
            ])
    }

    @Test func `a place that is named as secret is told without its value`() throws {
        let members = #""user_id":"/id","email":"/row/token","secret_members":["token"],"rules":[{"person":"live"}]"#
        let steps = try Self.steps(members, #"{"id":"u","row":{"token":"CANARY"}}"#)
        #expect(steps.contains("email /row/token secret"))
        #expect(!steps.joined().contains("CANARY"))
    }

    @Test func `a long value is cut`() throws {
        let members = #""user_id":"/id","rules":[{"person":"live"}]"#
        let steps = try Self.steps(members, #"{"id":"\#(String(repeating: "ü", count: 200))"}"#)
        #expect(steps.contains("user_id /id " + String(repeating: "ü", count: 126) + "…"))
    }

    @Test func `an event that no rule is about is told so`() throws {
        let steps = try Self.steps(#""type":"/type","user_id":"/id","rules":[{"on":"a","person":"live"}]"#, "{}")
        #expect(steps.prefix(2) == ["type - nothing", "rule - nothing"])
    }
}
