// SPDX-License-Identifier: Apache-2.0
// One request of a sender over HTTP: a source and tenants of its own, what was known before, and what it comes to.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

struct SenderTrial: Sendable {
    private let story: Story
    private let folder: SentFolder
    private let one: SentCase
    private let items: [SentCase.Item]
    private let tenants: SentFolder.Tenants
    /// Makes the trial's tenants its own.
    private let number: Int
    private let source: SourceID
    private let url: String

    /// Makes the source and its tenants. The users that are to be taken away are there, and have been for a month.
    init(
        _ one: SentCase, of folder: SentFolder, _ tenants: SentFolder.Tenants, number: Int, in story: Story
    ) async throws {
        self.story = story
        self.folder = folder
        self.one = one
        self.tenants = tenants
        self.number = number
        if case (.fixed, .table) = (tenants, folder.tenants) {
            self.items = one.itemsOfFixed
        } else {
            self.items = one.items
        }
        for tenant in ["acme", "globex"] {
            let tenant = try Self.tenant(tenant, tenants, number)
            try await story.database.insert(
                """
                insert into dialtone.tenants (tenant_id, connection_id)
                values (\(tenant), '1000000001') on conflict do nothing
                """)
        }
        let slug = "\(folder.name)-\(number)"
        self.url = try await Self.makeSource(slug, one, of: folder, tenants, number, story.administration)
        let rows = try await story.database.admin.query(
            "select source_id from dialtone.sources where slug = \(slug)")
        self.source = SourceID(rawValue: try #require(rows.first).decode(UUID.self))
        try await self.map()
        try await self.remember()
    }

    /// Returns the source's address. Each secret but the first is brought in as by a change-over that goes on.
    private static func makeSource(
        _ slug: String, _ one: SentCase, of folder: SentFolder, _ tenants: SentFolder.Tenants, _ number: Int,
        _ administration: Administration
    ) async throws -> String {
        let owner = if case .fixed = tenants { try Self.tenant("acme", tenants, number) } else { TenantID?.none }
        let secrets = one.knownAnswer.map { [Array($0.secret.utf8)] } ?? folder.secrets
        let line = try await administration.createSource(
            slug, tenant: owner,
            allowed: folder.tenants == .named ? [try TenantID("acme"), try TenantID("globex")] : [],
            preset: folder.preset, configuration: folder.configuration(tenants), secret: secrets.first)
        #expect(line.secret == nil, "the sender's secret is not shown")
        for secret in secrets.dropFirst() {
            _ = try await administration.rotateSource(
                slug, tenant: owner, overlap: .seconds(86_400 * 3650), secret: secret)
        }
        return line.url
    }

    private static func tenant(_ name: String, _ tenants: SentFolder.Tenants, _ number: Int) throws -> TenantID {
        try TenantID(tenants == .named ? name : "\(name)-\(number)")
    }

    private func tenant(_ name: String) throws -> TenantID { try Self.tenant(name, self.tenants, self.number) }

    private func map() async throws {
        guard self.tenants == .table else { return }
        for organization in self.folder.organizations {
            try await self.story.database.insert(
                """
                insert into dialtone.source_tenants (source_id, external_tenant, tenant_id)
                values (\(self.source), \(organization.name), \(try self.tenant(organization.tenant)))
                """)
        }
    }

    // MARK: What was known before

    private func remember() async throws {
        for (user, places) in self.ends {
            for (tenant, action) in places where action == .revoke {
                let names = self.folder.organizations.filter { $0.tenant == tenant }
                guard let organization = names.first(where: self.isNamed) ?? names.first else { continue }
                try await self.remember(user, organization)
            }
        }
    }

    /// Whether the request names the organisation, which is one of several of a tenant.
    private func isNamed(_ organization: (name: String, tenant: String)) -> Bool {
        self.one.body.firstRange(of: Array("\"\(organization.name)\"".utf8)) != nil
    }

    /// The user is a member of the organisation, as this source has told a month ago.
    private func remember(_ user: String, _ organization: (name: String, tenant: String)) async throws {
        let time = SenderStoryTests.clock - 30 * 86_400
        let tenant = try self.tenant(organization.tenant)
        let database = self.story.database
        try await database.insert(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, status, occurred_at, received_at, told_by)
            values (\(tenant), \(user), 'live', 'ready', \(time), \(time), \(self.source)) on conflict do nothing
            """)
        guard self.tenants == .table else { return }
        try await database.insert(
            """
            insert into dialtone.people (source_id, external_user, told_at)
            values (\(self.source), \(user), \(time)) on conflict do nothing
            """,
            """
            insert into dialtone.memberships (source_id, external_user, external_tenant, state, told_at, tenant_id)
            values (\(self.source), \(user), \(organization.name), 'live', \(time), \(tenant))
            """)
    }

    /// What is said last of each user, by the fixture's names of the tenants.
    private var ends: [String: [String: SentCase.Item.Action]] {
        var ends: [String: [String: SentCase.Item.Action]] = [:]
        for item in self.items where item.action != .ignore {
            guard let user = item.user else { continue }
            var places = ends[user] ?? [:]
            for tenant in self.places(of: item) { places[tenant] = item.action }
            ends[user] = places
        }
        return ends
    }

    /// The tenants that an item is about; with one tenant there is one, and nobody who waits has any.
    private func places(of item: SentCase.Item) -> [String] {
        if item.action == .wait { return [] }
        if self.tenants == .fixed { return ["acme"] }
        return self.folder.organizations.map(\.tenant).filter { item.tenant == nil || item.tenant == $0 }
    }

    // MARK: The request

    func run() async throws {
        self.expectAnswer(self.one.isSendable ? try await self.send() : try await self.sendRaw())
        try await self.expectLedger()
    }

    private func send() async throws -> Story.Reply {
        var request = HTTPClientRequest(url: self.url)
        request.method = HTTPMethod(rawValue: self.one.method)
        for (name, value) in self.one.headers { request.headers.add(name: name, value: value) }
        if self.one.method == "POST" { request.body = .bytes(ByteBuffer(bytes: self.one.body)) }
        let answer = try await self.story.http.execute(request, timeout: .seconds(40))
        let body = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        return Story.Reply(status: Int(answer.status.code), body: body, headers: answer.headers)
    }

    /// As no client sends it, with the NUL that was changed when the fixture was read. On the wire a line break in a value
    /// makes two headers of one.
    private func sendRaw() async throws -> Story.Reply {
        let path = self.url.dropFirst(self.story.address.count)
        var head = "\(self.one.method) \(path) HTTP/1.1\r\nhost: dialtone.example\r\n"
        for (name, value) in self.one.headers { head += "\(name): \(value.replacing("\u{1}", with: "\u{0}"))\r\n" }
        var reply = Story.Reply(status: 0, body: "")
        try await RawClient.with(self.story.address) { client in
            try await client.send(head + "\r\n")
            let answer = try #require(try await client.answer())
            #expect(answer.field("x") == nil, "\(self.one.name): a line break came back")
            reply = Story.Reply(status: answer.status, body: answer.body)
        }
        return reply
    }

    private func expectAnswer(_ reply: Story.Reply) {
        // Any 2xx is as good as another one, where the sender does not wait for a certain one.
        let isParticular = self.folder.name == "supabase-hook" || self.one.status == 204
        let isAsExpected = reply.status == self.one.status || (reply.status == 200 && self.one.hasLineBreak)
        let isGood = (200..<300).contains(reply.status) && (200..<300).contains(self.one.status)
        #expect(isAsExpected || !isParticular && isGood, "\(self.one.name): \(reply.status) \(reply.body)")
        if let body = self.one.answerBody { #expect(reply.body == body, "\(self.one.name)") }
        for (name, value) in self.one.answerHeaders {
            #expect(reply.headers.first(name: name) == value, "\(self.one.name)")
        }
        #expect(!reply.body.contains("CANARY"), "\(self.one.name)")
    }

    /// Rows of the ledger, those of them in quarantine, and those that do not say by what they were proven and read.
    private func expectLedger() async throws {
        let stored = self.one.isProven ? self.items.filter { $0.action != .ignore || $0.isQuarantined }.count : 0
        let quarantined = self.one.isProven ? self.items.filter(\.isQuarantined).count : 0
        let isCanonical = self.folder.tenants == .named
        let counts = try await self.story.rows(
            """
            select concat_ws(' ', count(*), count(*) filter (where outcome = 'quarantined'),
                             count(quarantine.event_id),
                             count(*) filter (where (events.config_version is null and not \(isCanonical))
                                                  or (secret_id is null and not \(self.folder.publishesKeys))))
            from dialtone.events left join dialtone.quarantine using (event_id) where events.source_id = \(self.source)
            """)
        #expect(counts == ["\(stored) \(quarantined) \(quarantined) 0"], "\(self.one.name)")
    }

    // MARK: When everything is done

    func expectUsers() async throws {
        guard self.one.isProven else { return }
        for (user, places) in self.ends {
            let expected = try places.map { tenant, action in
                "\(try self.tenant(tenant)) \(action == .provision ? "live ready" : "gone revoked")"
            }
            #expect(try await self.users(user) == expected.sorted(), "\(self.one.name)")
            guard places.isEmpty else { continue }
            let known = try await self.story.rows(
                """
                select external_user from dialtone.people
                where source_id = \(self.source) and external_user = \(user)
                """)
            #expect(known == [user], "\(self.one.name)")
        }
    }

    private func users(_ user: String) async throws -> [String] {
        try await self.story.rows(
            """
            select concat_ws(' ', tenant_id, wanted, status) from dialtone.users
            where tenant_id in (\(try self.tenant("acme")), \(try self.tenant("globex"))) and user_id = \(user)
            order by tenant_id
            """)
    }
}
