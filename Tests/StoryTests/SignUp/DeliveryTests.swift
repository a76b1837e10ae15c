// SPDX-License-Identifier: Apache-2.0
// A delivery sent again, out of order, for several users or while the database is away, and the answers to it.

import Composition
import Foundation
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct DeliveryTests {
    @Test func `a duplicate is answered with the event that was stored`() async throws {
        try await Story.with { story in
            let first = try await story.send(.created, "u", delivery: "d")
            let again = try await story.send(.created, "u", delivery: "d")
            #expect(first.status == 202 && again.status == 200)
            #expect(first.body.replacing("accepted", with: "duplicate") == again.body)
        }
    }

    @Test func `a revoke before its sign-up is kept, and the older sign-up stays revoked`() async throws {
        try await Story.with { story in
            func event(_ type: String, _ time: String) -> String {
                "{\"type\":\"\(type)\",\"timestamp\":\"\(time)\",\"data\":{\"user_id\":\"u-1\"}}"
            }
            #expect(try await story.deliver(event("user.deleted", "2026-01-02T00:00:00Z"), "m1").status == 202)
            let late = try await story.deliver(event("user.created", "2026-01-01T00:00:00Z"), "m2")
            #expect(late.status == 200 && late.outcome == .superseded)
            let twice = try await story.deliver(event("user.deleted", "2026-01-02T00:00:00Z"), "m1")
            #expect(twice.status == 200 && twice.outcome == .duplicate)
            #expect(try await story.deliver("{\"type\":\"user.renamed\"}", "m3").outcome == .ignored)
            #expect(try await story.loginToken(for: "u-1").status == 410)
            #expect(try await story.provider.live() == 0)
        }
    }

    /// The test buttons of senders' consoles send such bodies, and switch a hook off that refuses them.
    @Test func `a signed object that asks nothing is ignored, and nobody gets a credential`() async throws {
        try await Story.with { story in
            let bodies = [
                "{}", "{\"event\":\"test\"}", "{\"type\":1}", "{\"type\":\"ping\",\"data\":{\"user_id\":\"u\"}}",
            ]
            for (place, body) in bodies.enumerated() {
                let reply = try await story.deliver(body, "ping-\(place)")
                #expect(reply.status == 200 && reply.outcome == .ignored, "\(body)")
            }
            #expect(try await story.database.admin.query("select 1 from dialtone.users").isEmpty)
        }
    }

    /// Such bodies were refused for ever, and with them the sign-up.
    @Test func `a sign-up is taken whatever the members hold that nobody reads`() async throws {
        try await Story.with { story in
            let deep = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
            let body = """
                {"type":"user.created","data":{"user_id":"u","name":"\\u0000\\ud83d","x":\(deep),"x":1e9999}}
                """
            #expect(try await story.deliver(body, "odd").status == 202)
            try await story.waitUntil("u", is: .ready)
        }
    }

    /// A sender's zero time is no time. Taken as one, the delete would be older than the sign-up.
    @Test func `a delete with a time that was never set takes the credential away`() async throws {
        try await Story.with { story in
            func event(_ type: String, _ time: String) -> String {
                "{\"type\":\"\(type)\",\"timestamp\":\"\(time)\",\"data\":{\"user_id\":\"u\"}}"
            }
            #expect(try await story.deliver(event("user.created", "2026-01-01T00:00Z"), "m1").status == 202)
            try await story.waitUntil("u", is: .ready)
            #expect(try await story.deliver(event("user.deleted", "0001-01-01T00:00:00Z"), "m2").status == 202)
            try await story.waitUntil("u", is: .revoked)
        }
    }

    @Test func `a delivery of several users is answered with an event for each`() async throws {
        try await Story.with { story in
            let body = #"{"type":"user.created","data":[{"user_id":"a"},{"user_id":"b"}]}"#
            let first = try await story.deliver(body, "msg_two")
            #expect(first.status == 202 && first.outcomes == [.accepted, .accepted])
            try await story.waitUntil("a", is: .ready)
            try await story.waitUntil("b", is: .ready)
            #expect(try await story.deliver(body, "msg_two").status == 200)
            let more = #"{"type":"user.created","data":[{"user_id":"a"},{"user_id":"c"}]}"#
            #expect(try await story.deliver(more, "msg_two").status == 409)
        }
    }

    @Test func `without its database the hook asks to be tried again and loses nothing`() async throws {
        try await Story.with { story in
            #expect(try await story.send(.created, "u-1", delivery: "m1").status == 202)
            try await Self.allowConnections(story, false)
            try await story.cutConnections()
            let body = "{\"type\":\"user.created\",\"data\":{\"user_id\":\"u-2\"}}"
            let away = try await story.deliver(body, "m2")
            #expect(away.status == 503 && away.headers.first(name: "retry-after") != nil, "\(away.body)")
            #expect(away.problem?.code == "unavailable")
            try await Self.allowConnections(story, true)
            let deadline = ContinuousClock.now + .seconds(20)
            while try await story.deliver(body, "m2").status >= 300 {
                try #require(ContinuousClock.now < deadline, "the database came back unnoticed")
                _ = try await story.database.admin.query("select pg_sleep(0.05)::text")
            }
            try await story.waitUntil("u-2", is: .ready)
            #expect(try await story.eventCount() == 2)
        }
    }

    private static func allowConnections(_ story: Story, _ isAllowed: Bool) async throws {
        try await story.database.admin.script(
            "update pg_database set datallowconn = \(isAllowed) where datname = current_database()")
    }
}
