// SPDX-License-Identifier: Apache-2.0
// Every route that needs a key is tried with every id of another tenant, and with every scope but its own. Then the
// first wall is taken away, and the second must hold alone.
//
// The cases come from the route table, so a new route and a new parameter are tried as soon as they exist.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOHTTP1
import Testing
import Web

@Suite struct IsolationTests {
    static let ofTenants = RouteTable.all.filter { route in
        if case .tenant = route.access { true } else { false }
    }

    /// The routes whose answer has an end; `StreamWallTests` has the other one.
    private static let ofLists = Self.ofTenants.filter { $0.operation != .stream }

    /// Another tenant's things, and as many that do not exist.
    private static func foreign(_ story: Story) async throws -> (there: TenantThings, nowhere: TenantThings) {
        let there = try await story.secondTenant().things
        var nowhere = TenantThings.nowhere
        // Lines that no list has.
        nowhere.cursors = there.cursors.mapValues { _ in "c1.bm93aGVyZQ" }
        return (there, nowhere)
    }

    private static func ask(
        _ story: Story, _ route: Route, _ path: String, key: String, at address: String? = nil
    ) async throws -> Story.Reply {
        let method = HTTPMethod(rawValue: route.methodName)
        // A stream that opens has no end; it must not open here.
        return try await story.http.reply(
            method, (address ?? story.address) + path, "", ["authorization": "Bearer \(key)", "x-request-id": "same"])
    }

    /// Whether the answer is that of a tenant without anything: no such thing, an empty list, or a count of nought.
    private static func isOfNothing(_ reply: Story.Reply, to route: Route) -> Bool {
        let words: String? =
            switch route.operation {
            case .usersShow, .usersTimeline, .usersProof, .usersVerify, .eventsShow, .summaryShow, .tenantsShow: nil
            case .usersCount: "\"count\":0,"
            case .usersWhy: "\"code\":\"unknown\""
            default: "\"data\":[]"
            }
        return words.map { reply.status == 200 && reply.body.contains($0) } ?? (reply.status == 404)
    }

    @Test func `to a tenant's key another tenant's things do not exist, and look like things of nobody`() async throws {
        try await Story.with { story in
            let (there, nowhere) = try await Self.foreign(story)
            let key = try await story.keyOfTenant("acme", Scope.allCases)
            for route in Self.ofTenants {
                for (mine, theirs) in zip(there.requests(route), nowhere.requests(route)) {
                    let foreign = try await Self.ask(story, route, mine, key: key)
                    let none = try await Self.ask(story, route, theirs, key: key)
                    #expect(foreign.status == 404, "\(mine)")
                    #expect(foreign.status == none.status && foreign.body == none.body, "\(mine)")
                    #expect(Self.names(foreign) == Self.names(none), "\(mine): the same fields")
                    #expect(there.shown(in: foreign).isEmpty, "\(mine)")
                }
            }
            let token = try await story.http.reply(
                .POST, story.address + "/v1/login-tokens", "{\"tenant\":\"globex\",\"user_id\":\"g-secret\"}",
                ["authorization": "Bearer \(key)"])
            #expect(token.status == 404 && token.body.contains("unknown_user"))
        }
    }

    /// The fields of an answer but those that differ from one request to the next.
    private static func names(_ reply: Story.Reply) -> [String] {
        reply.headers.filter { !["date", "ratelimit"].contains($0.name.lowercased()) }
            .map { "\($0.name.lowercased()): \($0.value)" }.sorted()
    }

    /// Without this the other tests would hold for a tenant that has nothing to hide.
    @Test func `the tenant itself sees by each route what is hidden from others`() async throws {
        try await Story.with { story in
            let (things, key) = try await story.secondTenant()
            var shown: Set<String> = []
            for route in Self.ofLists {
                var showsSomething = false
                for request in things.requests(route) {
                    let reply = try await Self.ask(story, route, request, key: key)
                    #expect(reply.status == 200, "\(request): \(reply.body)")
                    if !Self.isOfNothing(reply, to: route) { showsSomething = true }
                    shown.formUnion(things.shown(in: reply))
                }
                #expect(showsSomething, "\(route.path)")
            }
            #expect(Set(things.secrets).subtracting(shown).isEmpty)
        }
    }

    @Test func `within its own tenant a key finds no id of another one`() async throws {
        try await Story.with { story in
            var (mine, theirs) = try await Self.foreign(story)
            let key = try await story.keyOfTenant("acme", Scope.allCases)
            (mine.tenant, theirs.tenant) = ("acme", "acme")
            for route in Self.ofLists {
                for (one, other) in zip(mine.requests(route), theirs.requests(route)) {
                    let foreign = try await Self.ask(story, route, one, key: key)
                    let none = try await Self.ask(story, route, other, key: key)
                    #expect(foreign.status == none.status, "\(one)")
                    #expect(mine.shown(in: foreign, to: one).isEmpty, "\(one): \(foreign.body)")
                }
            }
        }
    }

    @Test func `with every scope but its own a route is closed, and without a key too`() async throws {
        try await Story.with { story in
            for route in RouteTable.all {
                let scope: Scope
                switch route.access {
                case .key(let needed), .operators(let needed), .tenant(let needed): scope = needed
                case .anyone, .sender: continue
                }
                let key = try await story.keyOfTenant("acme", Scope.allCases.filter { $0 != scope })
                var things = TenantThings.nowhere
                things.tenant = "acme"
                let refused = try await Self.ask(story, route, things.path(route), key: key)
                #expect(refused.status == 403 && refused.body.contains("scope_missing"), "\(route.path)")
                let unknown = try await story.http.reply(
                    HTTPMethod(rawValue: route.methodName), story.address + things.path(route), "", [:])
                #expect(unknown.status == 401 && unknown.body.contains("key_missing"), "\(route.path)")
            }
        }
    }

    @Test func `without the first wall the second one shows a tenant nothing of another`() async throws {
        try await Story.with { story in
            let (there, _) = try await Self.foreign(story)
            let key = try await story.keyOfTenant("acme", Scope.allCases)
            try await Story.withNode(story.settings, comparesTenants: false) { open in
                for route in Self.ofLists {
                    for request in there.requests(route) {
                        let reply = try await Self.ask(story, route, request, key: key, at: open)
                        #expect(Self.isOfNothing(reply, to: route), "\(request): \(reply.status) \(reply.body)")
                        #expect(there.shown(in: reply, to: request).isEmpty, "\(request): \(reply.body)")
                    }
                }
                let token = try await story.http.reply(
                    .POST, open + "/v1/login-tokens", "{\"tenant\":\"globex\",\"user_id\":\"g-secret\"}",
                    ["authorization": "Bearer \(key)"])
                #expect(token.status == 404 && !token.body.contains("login_token"), "\(token.body)")
            }
        }
    }
}
