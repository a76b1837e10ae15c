// SPDX-License-Identifier: Apache-2.0
// What a key's reach and its scopes leave out of an answer that the key may have: other tenants, events and API keys.

import Composition
import Foundation
import Model
import NIOHTTP1
import Testing

@Suite struct KeyReachTests {
    private struct Tenants: Decodable {
        struct Entry: Decodable { var tenant: String }
        var data: [Entry]
        var next: String?
    }

    private static func tenants(
        _ story: Story, _ query: String, key: String, at address: String
    ) async throws -> (names: [String], next: String?) {
        let reply = try await story.http.reply(
            .GET, "\(address)/v1/tenants\(query)", "", ["authorization": "Bearer \(key)"])
        let page: Tenants = try reply.decode()
        return (page.data.map(\.tenant), page.next)
    }

    @Test func `a tenant's key lists its own tenant alone, without the first wall too`() async throws {
        try await Story.with { story in
            _ = try await story.administration.createTenant(try TenantID("globex"), connectionID: "1000000002")
            let operators = try await story.administration.createKey(tenant: nil, scopes: [.usersRead]).key
            let (acme, globex) = (
                try await story.keyOfTenant("acme", [.usersRead]), try await story.keyOfTenant("globex", [.usersRead])
            )
            try await Story.withNode(story.settings, comparesTenants: false) { open in
                for address in [story.address, open] {
                    let all = try await Self.tenants(story, "", key: operators, at: address)
                    #expect(all.names == ["acme", "globex"])
                    let first = try await Self.tenants(story, "?limit=1", key: operators, at: address)
                    let next = try #require(first.next)
                    for (key, own) in [(acme, "acme"), (globex, "globex")] {
                        for query in ["", "?limit=1"] {
                            let seen = try await Self.tenants(story, query, key: key, at: address)
                            #expect(seen.names == [own] && seen.next == nil, "\(own)\(query)")
                        }
                    }
                    // The operator's second page begins behind acme.
                    let behind = try await Self.tenants(story, "?after=\(next)", key: acme, at: address)
                    #expect(behind.names.isEmpty)
                }
            }
        }
    }

    @Test func `find shows an event and an API key to a key with the scope for them, and to no other`() async throws {
        try await Story.with { story in
            try await story.signUp("ada")
            let other = try await story.administration.createKey(tenant: try TenantID("acme"), scopes: [.usersRead])
            for (text, kind, scope) in [
                ("created-ada", "event", Scope.eventsRead), (other.key_id, "key", Scope.keysRead),
            ] {
                let path = "/v1/tenants/acme/find?q=\(text)"
                let key = try await story.keyOfTenant("acme", [.usersRead, scope])
                let shown = try await story.request(.GET, path, "", ["authorization": "Bearer \(key)"])
                #expect(shown.status == 200 && shown.body.contains("\"kind\":\"\(kind)\""), "\(shown.body)")
                let hidden = try await story.request(.GET, path, "", ["authorization": "Bearer \(other.key)"])
                #expect(hidden.status == 200 && hidden.body.contains("\"data\":[]"), "\(hidden.body)")
            }
        }
    }
    private struct SetUp: Decodable {
        struct Entry: Decodable { var tenant: String? }
        var data: [Entry]
        var next: String?
    }

    /// Reads all pages, two entries at a time. Returns each entry's tenant; an operator's own is "-".
    private static func owners(
        _ story: Story, _ list: String, key: String, at address: String
    ) async throws -> [String] {
        var (owners, next): ([String], String?) = ([], nil)
        repeat {
            let query = "?limit=2" + (next.map { "&after=\($0)" } ?? "")
            let reply = try await story.http.reply(
                .GET, "\(address)/v1/\(list)\(query)", "", ["authorization": "Bearer \(key)"])
            let page: SetUp = try reply.decode()
            owners += page.data.map { $0.tenant ?? "-" }
            next = page.next
        } while next != nil
        return owners
    }

    @Test func `a tenant's key lists sources and API keys of its own tenant alone, without the first wall too`()
        async throws
    {
        try await Story.with { story in
            let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
            _ = try await story.administration.createTenant(globex, connectionID: "1000000002")
            _ = try await story.administration.createSource(
                "g", tenant: globex, allowed: [], preset: "standard")
            _ = try await story.administration.createSource(
                "several", tenant: nil, allowed: [acme, globex], preset: "standard")
            let scopes: [Scope] = [.sourcesRead, .keysRead, .jobsRead]
            let operators = try await story.administration.createKey(tenant: nil, scopes: scopes).key
            var keys: [String: String] = [:]
            for tenant in ["acme", "globex"] { keys[tenant] = try await story.keyOfTenant(tenant, scopes) }
            try await Story.withNode(story.settings, comparesTenants: false) { open in
                for (address, list) in [story.address, open].flatMap({ [($0, "sources"), ($0, "keys")] }) {
                    let all = try await Self.owners(story, list, key: operators, at: address)
                    #expect(Set(all) == ["-", "acme", "globex"], "\(list)")
                    for (tenant, key) in keys {
                        let own = try await Self.owners(story, list, key: key, at: address)
                        #expect(own == all.filter { $0 == tenant }, "\(list) of \(tenant)")
                        let limits = try await story.http.reply(
                            .GET, "\(address)/v1/limits", "", ["authorization": "Bearer \(key)"])
                        #expect(limits.status == 404 && limits.body.contains("not_found"), "\(limits.body)")
                    }
                }
            }
            let limits = try await story.request(.GET, "/v1/limits", "", ["authorization": "Bearer \(operators)"])
            #expect(limits.status == 200 && limits.body.contains("\"data\":["), "\(limits.body)")
        }
    }
}
