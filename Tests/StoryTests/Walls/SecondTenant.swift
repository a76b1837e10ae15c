// SPDX-License-Identifier: Apache-2.0
// Another tenant beside the story's own, with something of every kind that a route can show: what must be hidden.

import Composition
import Foundation
import Intake
import Model
import NIOHTTP1
import Postgres
import TestSupport
import Testing
import Web

extension Story {
    /// A key of a tenant with these scopes.
    func keyOfTenant(_ tenant: String, _ scopes: [Scope]) async throws -> String {
        try await self.administration.createKey(tenant: try TenantID(tenant), scopes: scopes).key
    }

    /// Makes the tenant `globex` with its users, and returns what it has and a key of its own with every scope.
    func secondTenant() async throws -> (things: TenantThings, key: String) {
        let tenant = try TenantID("globex")
        _ = try await self.administration.createTenant(tenant, connectionID: "1000000002")
        let key = try await self.administration.createKey(tenant: tenant, scopes: Scope.allCases)
        var things = TenantThings(
            tenant: "globex", user: "g-secret", failed: "g-secret-failed", event: "", credential: "", username: "",
            delivery: "msg_globex_secret", email: "ada@secret.example", source: "globex-app", tag: "globex.secret",
            action: "globex-action", key: key.key_id,
            words: [
                Self.words, Self.reason, Self.pointer, Self.found, Self.header, Self.waiter,
                String("\(Self.accepted)".prefix(8)),
            ])
        things.event = try await self.signUp(things)
        struct Entry: Decodable {
            var credential_id: String
            var sip_username: String
        }
        let entry: Entry = try await self.ask("/v1/tenants/globex/users/\(things.user)", key: key.key)
        (things.credential, things.username) = (entry.credential_id, entry.sip_username)
        try await self.addRows(of: things)
        things.words += try await self.setUp(things, tenant, key: key.key)
        things.cursors = try await self.cursors(of: things, key: key.key)
        return (things, key.key)
    }

    // Words that nothing else in an answer can hold.
    private static let words = "the secret words of the provider"
    private static let reason = "secret_reason"
    private static let pointer = "/secret/pointer"
    private static let found = "secret-finding"
    private static let header = "x-secret-header"
    private static let waiter = "g-waits-in-secret"
    private static let accepted: Int32 = 1_234_567_000

    /// Signs the first user up, with an e-mail address, and waits for the credential. Returns the event's id.
    private func signUp(_ things: TenantThings) async throws -> String {
        let source = try await self.administration.createSource(
            things.source, tenant: try TenantID(things.tenant), allowed: [], preset: "standard", keepsNames: true)
        let sender = try SignUpSender(url: source.url, secret: Secret(try source.madeSecret()), http: self.http)
        let body = """
            {"type":"user.created","timestamp":"\(RFC3339.text(Date()))",\
            "data":{"user_id":"\(things.user)","tenant_id":"\(things.tenant)","email":"\(things.email)"}}
            """
        let reply = try await sender.post(Array(body.utf8), deliveryID: things.delivery, at: Date())
        struct Receipt: Decodable { var event_id: String }
        let event = try JSONDecoder().decode(Receipt.self, from: Data(reply.body.utf8)).event_id
        try await self.until(
            """
            select 1 from dialtone.users join dialtone.person_names using (tenant_id, user_id)
            where tenant_id = \(things.tenant) and status = 'ready' and email_index is not null
            """)
        return event
    }

    /// Makes another source and another key, so that each list has a second page. Returns what their lists show beside
    /// names: the tenant's connection, hooks, and the ids of secrets.
    private func setUp(_ things: TenantThings, _ tenant: TenantID, key: String) async throws -> [String] {
        _ = try await self.administration.createSource(
            "\(things.source)-too", tenant: tenant, allowed: [], preset: "standard")
        _ = try await self.administration.createKey(tenant: tenant, scopes: [.usersRead])
        struct Sources: Decodable {
            struct Entry: Decodable {
                struct Secret: Decodable { var id: String }
                var hook_id: String
                var secrets: [Secret]
            }
            var data: [Entry]
        }
        let sources: Sources = try await self.ask("/v1/tenants/\(things.tenant)/sources", key: key)
        #expect(sources.data.count == 2 && sources.data.allSatisfy { $0.secrets.count == 1 })
        return ["1000000002"] + sources.data.flatMap { [$0.hook_id] + $0.secrets.map(\.id) }
    }

    private func ask<Answer: Decodable>(_ path: String, key: String) async throws -> Answer {
        try await self.request(.GET, path, "", ["authorization": "Bearer \(key)"]).decode()
    }

    /// Adds what a sign-up that goes well does not leave: two of each, so that each list has a second page.
    private func addRows(of things: TenantThings) async throws {
        let tenant = try TenantID(things.tenant)
        for name in [things.failed, "\(things.failed)-too"] {
            let user = UserKey(tenant: tenant, user: try UserID(name))
            try await self.database.insert(Ledger.user(user, status: .failed), Ledger.deadJob(of: user))
        }
        try await self.database.insert(
            "update dialtone.jobs set words = \(Self.words) where tenant_id = \(tenant) and state = 'dead'",
            """
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, seen_era)
            select tenant_id, 2, \(things.tag), null, seen_era from dialtone.tenants where tenant_id = \(tenant)
            """,
            """
            insert into dialtone.findings (generation, kind, tenant_id, user_id, provider_id, tag)
            select 1, 'moved', \(tenant), \(things.user), \(Self.found) || number, \(things.tag)
            from generate_series(1, 2) as number
            """,
            """
            insert into dialtone.tenant_minutes (tenant_id, minutes, bucket, accepted)
            values (\(tenant), 1, date_trunc('minute', now() - interval '3 hours'), \(Self.accepted))
            """,
            """
            insert into dialtone.actions (action_id, generation, action, request_id, tenant_id, user_id)
            values (gen_random_uuid(), 1, 'retry', \(things.action), \(tenant), \(things.user))
            """)
        try await self.database.insert(Self.refused(by: tenant) + Self.waiting(in: tenant))
    }

    private static func source(of tenant: TenantID) -> SQL {
        "(select source_id from dialtone.sources where tenant_id = \(tenant))"
    }

    /// A person who waits for a membership, and the event that told so.
    private static func waiting(in tenant: TenantID) -> [SQL] {
        let source = Self.source(of: tenant)
        return [
            """
            insert into dialtone.people (source_id, external_user, waits_until)
            values (\(source), \(Self.waiter), now() + interval '9 days')
            """,
            """
            insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                         outcome, detail)
            values (now(), '019ab000-0000-7000-8000-0000000000bb'::uuid, \(source), 'msg_waits', \(tenant),
                    \(Self.waiter), 'live', 'accepted', 'waits')
            """,
        ]
    }

    /// What the tenant's source was refused, with a sample, and an event of it in quarantine.
    private static func refused(by tenant: TenantID) -> [SQL] {
        let event: SQL = "'019ab000-0000-7000-8000-0000000000aa'::uuid"
        let source = Self.source(of: tenant)
        return [
            """
            insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
            values (date_trunc('minute', now()), \(source), 3, now(), 1, 'refused', \(Self.reason))
            """,
            """
            insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
            values (now(), \(source), 0, 'refused', \(Self.reason),
                    json_build_object('headers', json_build_array(json_build_object('name', \(Self.header)::text,
                                                                                    'bytes', 7)), 'body', 9))
            """,
            """
            insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, outcome)
            values (now(), \(event), \(source), 'msg_unusable', \(tenant), 'quarantined')
            """,
            """
            insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, pointer, tenant_id,
                                             body_sha256)
            values (\(event), \(source), 1, 2, 'wrong_value', \(Self.pointer), \(tenant), sha256('x'))
            """,
        ]
    }

    /// Where the second page of each of the tenant's lists begins, as the tenant itself is told.
    private func cursors(of things: TenantThings, key: String) async throws -> [String: String] {
        struct Page: Decodable { var next: String? }
        var cursors: [String: String] = [:]
        for route in IsolationTests.ofTenants where route.parameters.contains("after") {
            let page: Page = try await self.ask("\(things.path(route))?limit=1", key: key)
            let next: String = try #require(page.next, "\(route.path) has one page")
            cursors[route.operation.rawValue] = next
        }
        return cursors
    }
}
