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
    private let isFixed: Bool
    /// Makes the trial's tenants its own.
    private let number: Int
    private let source: SourceID
    private let url: String

    /// Makes the source and its tenants. The users that are to be taken away are there, and have been for a month.
    init(_ one: SentCase, of folder: SentFolder, isFixed: Bool, number: Int, in story: Story) async throws {
        self.story = story
        self.folder = folder
        self.one = one
        self.items = isFixed && !folder.isFixed ? one.itemsOfFixed : one.items
        self.isFixed = isFixed
        self.number = number
        for tenant in ["acme", "globex"] {
            try await story.database.insert(
                Ledger.tenant(try Self.tenant(tenant, number), connection: "1000000001"))
        }
        let slug = "\(folder.name)-\(number)"
        let line = try await story.administration.createSource(
            slug, tenant: isFixed ? try Self.tenant("acme", number) : nil, allowed: [], preset: folder.preset,
            configuration: isFixed ? nil : try folder.configuration(), secret: folder.secret)
        #expect(line.secret == nil, "the sender's secret is not shown")
        self.url = line.url
        let rows = try await story.database.admin.query(
            "select source_id from dialtone.sources where slug = \(slug)")
        self.source = SourceID(rawValue: try #require(rows.first).decode(UUID.self))
        try await self.map()
        try await self.remember()
    }

    private static func tenant(_ name: String, _ number: Int) throws -> TenantID { try TenantID("\(name)-\(number)") }

    private func tenant(_ name: String) throws -> TenantID { try Self.tenant(name, self.number) }

    private func map() async throws {
        guard !self.isFixed else { return }
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
        for (user, item) in self.last where item.action == .revoke {
            for organization in self.places(of: item) { try await self.remember(user, organization) }
        }
    }

    /// The user is a member of the organisation, as this source has told a month ago.
    private func remember(_ user: String, _ organization: (name: String, tenant: String)) async throws {
        let time = SenderStoryTests.clock - 30 * 86_400
        let tenant = try self.tenant(organization.tenant)
        let database = self.story.database
        try await database.insert(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, status, occurred_at, received_at, told_by)
            values (\(tenant), \(user), 'live', 'ready', \(time), \(time), \(self.source))
            """)
        guard !self.isFixed else { return }
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

    /// What is said last of each user.
    private var last: [String: SentCase.Item] {
        var last: [String: SentCase.Item] = [:]
        for item in self.items { if let user = item.user { last[user] = item } }
        return last
    }

    /// The organisations that an item is about; with one tenant there is one.
    private func places(of item: SentCase.Item) -> [(name: String, tenant: String)] {
        if self.isFixed { return [("acme", "acme")] }
        return self.folder.organizations.filter { item.tenant == nil || item.tenant == $0.tenant }
    }

    // MARK: The request

    func run() async throws {
        var headers = HTTPHeaders()
        for (name, value) in self.one.headers { headers.add(name: name, value: value) }
        var request = HTTPClientRequest(url: self.url)
        request.method = HTTPMethod(rawValue: self.one.method)
        request.headers = headers
        if self.one.method == "POST" { request.body = .bytes(ByteBuffer(bytes: self.one.body)) }
        let answer = try await self.story.http.execute(request, timeout: .seconds(40))
        let body = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        self.expectAnswer(Story.Reply(status: Int(answer.status.code), body: body, headers: answer.headers))
        try await self.expectLedger()
    }

    private func expectAnswer(_ reply: Story.Reply) {
        // Any 2xx is as good as another one, where the sender does not wait for a certain one.
        let isParticular = self.folder.name == "supabase-hook" || self.one.status == 204
        let isAsExpected = reply.status == self.one.status
        let isGood = (200..<300).contains(reply.status) && (200..<300).contains(self.one.status)
        #expect(isAsExpected || !isParticular && isGood, "\(self.one.name): \(reply.status) \(reply.body)")
        if let body = self.one.answerBody { #expect(reply.body == body, "\(self.one.name)") }
        for (name, value) in self.one.answerHeaders {
            #expect(reply.headers.first(name: name) == value, "\(self.one.name)")
        }
        #expect(!reply.body.contains("CANARY"), "\(self.one.name)")
    }

    /// Rows of the ledger, and those of them in quarantine.
    private func expectLedger() async throws {
        let stored = self.one.isProven ? self.items.filter { $0.action != .ignore || $0.isQuarantined }.count : 0
        let quarantined = self.one.isProven ? self.items.filter(\.isQuarantined).count : 0
        let counts = try await self.story.rows(
            """
            select concat_ws(' ', count(*), count(*) filter (where outcome = 'quarantined'),
                             count(quarantine.event_id),
                             count(*) filter (where events.config_version is null or secret_id is null))
            from dialtone.events left join dialtone.quarantine using (event_id) where events.source_id = \(self.source)
            """)
        #expect(counts == ["\(stored) \(quarantined) \(quarantined) 0"], "\(self.one.name)")
    }

    // MARK: When everything is done

    func expectUsers() async throws {
        guard self.one.isProven else { return }
        for (user, item) in self.last {
            let found = try await self.users(user)
            switch item.action {
            case .ignore: continue
            case .wait:
                #expect(found.isEmpty, "\(self.one.name)")
                let known = try await self.story.rows(
                    """
                    select external_user from dialtone.people
                    where source_id = \(self.source) and external_user = \(user)
                    """)
                #expect(known == [user], "\(self.one.name)")
            case .provision, .revoke:
                let status = item.action == .provision ? "live ready" : "gone revoked"
                let places = try self.places(of: item).map { "\(try self.tenant($0.tenant)) \(status)" }
                #expect(found == places.sorted(), "\(self.one.name)")
            }
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
