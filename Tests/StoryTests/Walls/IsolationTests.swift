// SPDX-License-Identifier: Apache-2.0
// Every route that needs a key is tried with every id of another tenant, and with every scope but its own. Then the
// first wall is taken away, and the second must hold alone.
//
// The cases come from the route table, so a new route is tried as soon as it exists.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOHTTP1
import Testing
import Web

@Suite struct IsolationTests {
    /// What a route can name. The values of another tenant must look like values of nobody.
    private struct Ids: Sendable {
        var tenant: String
        var user: String
        var event: String
        var credential: String
        var username: String
        var delivery: String

        /// What must not be in any answer to a stranger.
        var secrets: [String] { [self.user, self.event, self.credential, self.username, self.delivery] }

        func path(_ route: Route) -> String {
            route.path.replacing("{tenant}", with: self.tenant).replacing("{user}", with: self.user)
                .replacing("{event}", with: self.event)
        }
    }

    /// Another tenant with a user who is ready, and a tenant and ids that do not exist.
    private static func foreign(_ story: Story) async throws -> (there: Ids, nowhere: Ids) {
        let globex = try await story.secondTenant("globex", user: "g-secret", delivery: "msg_globex_secret")
        let there = Ids(
            tenant: "globex", user: "g-secret", event: globex.event, credential: globex.credential,
            username: globex.username, delivery: "msg_globex_secret")
        let nowhere = Ids(
            tenant: "nowhere", user: "g-nobody", event: "00000000-0000-7000-8000-000000000000",
            credential: "00000000-0000-4000-8000-000000000000", username: "gencredNOBODY", delivery: "msg_nowhere")
        return (there, nowhere)
    }

    private static let ofTenants = RouteTable.all.filter { route in
        if case .tenant = route.access { true } else { false }
    }

    /// The query by which a route would find something of another tenant.
    private static func queries(_ route: Route, _ ids: Ids) -> [String] {
        switch route.operation {
        case .find: ids.secrets.map { "?q=\($0)" }
        case .usersList, .usersCount:
            ["", "?user_id=\(ids.user)", "?sip_username=\(ids.username)", "?user_id_prefix=g"]
        case .eventsList: ["", "?user_id=\(ids.user)"]
        default: [""]
        }
    }

    private static func ask(
        _ story: Story, _ route: Route, _ path: String, key: String, at address: String? = nil
    ) async throws -> Story.Reply {
        let method = HTTPMethod(rawValue: route.methodName)
        // A stream that opens has no end; it must not open here.
        return try await story.http.reply(
            method, (address ?? story.address) + path, "", ["authorization": "Bearer \(key)", "x-request-id": "same"])
    }

    @Test func `to a tenant's key another tenant's things do not exist, and look like things of nobody`() async throws {
        try await Story.with { story in
            let (there, nowhere) = try await Self.foreign(story)
            let key = try await story.keyOfTenant("acme", Scope.allCases)
            for route in Self.ofTenants {
                for (mine, theirs) in zip(Self.queries(route, there), Self.queries(route, nowhere)) {
                    let foreign = try await Self.ask(story, route, there.path(route) + mine, key: key)
                    let none = try await Self.ask(story, route, nowhere.path(route) + theirs, key: key)
                    #expect(foreign.status == 404, "\(route.path) \(mine)")
                    #expect(foreign.status == none.status && foreign.body == none.body, "\(route.path) \(mine)")
                    #expect(Self.names(foreign) == Self.names(none), "\(route.path): the same fields")
                    for secret in there.secrets { #expect(!foreign.body.contains(secret), "\(route.path)") }
                }
            }
            let token = try await story.http.reply(
                .POST, story.address + "/v1/login-tokens", "{\"tenant\":\"globex\",\"user_id\":\"g-secret\"}",
                ["authorization": "Bearer \(key)"])
            #expect(token.status == 404 && token.body.contains("unknown_user"))
        }
    }

    /// The fields of an answer but those that differ by time.
    private static func names(_ reply: Story.Reply) -> [String] {
        reply.headers.filter { $0.name.lowercased() != "date" }.map { "\($0.name.lowercased()): \($0.value)" }.sorted()
    }

    @Test func `within its own tenant a key finds no id of another one`() async throws {
        try await Story.with { story in
            let (there, nowhere) = try await Self.foreign(story)
            let key = try await story.keyOfTenant("acme", Scope.allCases)
            var (mine, theirs) = (there, nowhere)
            (mine.tenant, theirs.tenant) = ("acme", "acme")
            for route in Self.ofTenants where route.operation != .stream {
                for (one, other) in zip(Self.queries(route, mine), Self.queries(route, theirs)) {
                    let foreign = try await Self.ask(story, route, mine.path(route) + one, key: key)
                    let none = try await Self.ask(story, route, theirs.path(route) + other, key: key)
                    #expect(foreign.status == none.status, "\(route.path) \(one)")
                    for secret in there.secrets where !one.contains(secret) && !route.path.contains("{user}") {
                        #expect(!foreign.body.contains(secret), "\(route.path) \(one): \(foreign.body)")
                    }
                    #expect(!foreign.body.contains(there.credential) || one.contains(there.credential))
                }
            }
        }
    }

    @Test func `with every scope but its own a route is closed, and without a key too`() async throws {
        try await Story.with { story in
            for route in RouteTable.all {
                let scope: Scope
                switch route.access {
                case .key(let needed), .tenant(let needed): scope = needed
                case .anyone, .sender: continue
                }
                let key = try await story.keyOfTenant("acme", Scope.allCases.filter { $0 != scope })
                let ids = Ids(
                    tenant: "acme", user: "u", event: "00000000-0000-7000-8000-000000000000", credential: "c",
                    username: "s", delivery: "d")
                let refused = try await Self.ask(story, route, ids.path(route), key: key)
                #expect(refused.status == 403 && refused.body.contains("scope_missing"), "\(route.path)")
                let unknown = try await story.http.reply(
                    HTTPMethod(rawValue: route.methodName), story.address + ids.path(route), "", [:])
                #expect(unknown.status == 401 && unknown.body.contains("key_missing"), "\(route.path)")
            }
        }
    }

    @Test func `without the first wall the second one shows a tenant nothing of another`() async throws {
        try await Story.with { story in
            let (there, _) = try await Self.foreign(story)
            let key = try await story.keyOfTenant("acme", Scope.allCases)
            try await Story.withNode(story.settings, comparesTenants: false) { open in
                for route in Self.ofTenants where route.operation != .stream {
                    for query in Self.queries(route, there) {
                        let reply = try await Self.ask(story, route, there.path(route) + query, key: key, at: open)
                        for secret in [there.event, there.credential, there.username, there.delivery]
                        where !query.contains(secret) && !there.path(route).contains(secret) {
                            #expect(!reply.body.contains(secret), "\(route.path) \(query): \(reply.body)")
                        }
                        if case .some(let id) = ["{user}", "{event}"].first(where: { route.path.contains($0) }),
                            route.operation != .usersWhy
                        {
                            #expect(reply.status == 404, "\(route.path): \(id) of another tenant")
                        }
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
