// SPDX-License-Identifier: Apache-2.0
// A source of a hostile sender in a running service: what it is answered, and what is stored of it.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

struct HostileDesk: Sendable {
    /// How the source comes to a tenant.
    enum Tenants: Sendable {
        /// The organisation `org-a` stands for the tenant `a-…`, and `org-b` for `b-…`. The canonical event names `a-…`
        /// or `b-…`.
        case usual
        case fixed
        /// The organisation is the tenant's id, and must be `a-…`.
        case allowed
    }

    /// Rows that the ledger has of the source.
    struct Stored: Equatable, CustomStringConvertible {
        var events = 0
        var quarantined = 0
        var people = 0
        /// Memberships that are in force.
        var members = 0
        /// In both tenants.
        var users = 0

        var description: String {
            """
            \(self.events) events, \(self.quarantined) in quarantine, \(self.people) people, \(self.members) members, \
            \(self.users) users
            """
        }
    }

    let sender: HostileSender
    let url: String
    private let story: Story
    private let source: SourceID
    private let mark: String
    private let tenants: Tenants

    /// `mark` makes the source and its tenants its own. `secret` is the sender's.
    init(
        _ sender: HostileSender, _ tenants: Tenants = .usual, mark: String, secret: String? = nil, in story: Story
    ) async throws {
        self.sender = sender
        self.story = story
        self.tenants = tenants
        self.mark = "\(sender.preset)-\(mark)"
        let (a, b) = (try TenantID("a-\(self.mark)"), try TenantID("b-\(self.mark)"))
        try await story.database.insert(Ledger.tenant(a, connection: "1"), Ledger.tenant(b, connection: "1"))
        let isTable = tenants == .usual && sender.preset != "standard"
        let table = "{\"grammar\":1,\"preset\":\"\(sender.preset)\",\"tenant\":\"table\"}"
        let allowed: [TenantID] =
            switch tenants {
            case .usual where !isTable: [a, b]
            case .allowed: [a]
            case .usual, .fixed: []
            }
        let line = try await story.administration.createSource(
            self.mark, tenant: tenants == .fixed ? a : nil, allowed: allowed, preset: sender.preset,
            configuration: isTable ? Array(table.utf8) : nil, secret: Array((secret ?? sender.secret).utf8))
        self.url = line.url
        let rows = try await story.database.admin.query(
            "select source_id from dialtone.sources where slug = \(self.mark)")
        self.source = SourceID(rawValue: try #require(rows.first).decode(UUID.self))
        guard isTable else { return }
        for (organization, tenant) in [("org-a", a), ("org-b", b)] {
            try await story.database.insert(
                """
                insert into dialtone.source_tenants (source_id, external_tenant, tenant_id)
                values (\(self.source), \(organization), \(tenant))
                """)
        }
    }

    /// What the sender calls the first or the second tenant's organisation, as JSON.
    func organization(_ letter: String) -> String {
        let isTable = self.tenants == .usual && self.sender.preset != "standard"
        return isTable ? "\"org-\(letter)\"" : "\"\(letter)-\(self.mark)\""
    }

    /// A sign-up for the first tenant. `user` is JSON as it stands in the body.
    func body(user: String = "\"u-1\"", id: String = "e-1", time: String? = nil) -> [UInt8] {
        self.sender.body(user: user, organization: self.organization("a"), id: id, time: time)
    }

    func send(_ request: HostileRequest) async throws -> Story.Reply {
        var outgoing = HTTPClientRequest(url: self.url)
        outgoing.method = .POST
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        outgoing.body = .bytes(ByteBuffer(bytes: request.body))
        let answer = try await self.story.http.execute(outgoing, timeout: .seconds(40))
        let body = String(buffer: try await answer.body.collect(upTo: 1 << 20))
        return Story.Reply(status: Int(answer.status.code), body: body, headers: answer.headers)
    }

    func stored() async throws -> Stored {
        let rows = try await self.story.database.admin.query(
            """
            select (select count(*) from dialtone.events where source_id = \(self.source)),
                   (select count(*) from dialtone.quarantine where source_id = \(self.source)),
                   (select count(*) from dialtone.people where source_id = \(self.source)),
                   (select count(*) from dialtone.memberships
                    where source_id = \(self.source) and state = 'live' and tenant_id is not null),
                   (select count(*) from dialtone.users where tenant_id in (\("a-" + self.mark), \("b-" + self.mark)))
            """)
        var columns = try #require(rows.first).columns
        return Stored(
            events: Int(try columns.next(Int64.self)), quarantined: Int(try columns.next(Int64.self)),
            people: Int(try columns.next(Int64.self)), members: Int(try columns.next(Int64.self)),
            users: Int(try columns.next(Int64.self)))
    }

    /// The id of the first or the second tenant.
    func tenant(_ letter: String) -> String { "\(letter)-\(self.mark)" }

    /// How many users the first or the second tenant has.
    func users(_ letter: String) async throws -> Int {
        try await self.story.rows("select user_id from dialtone.users where tenant_id = \(self.tenant(letter))").count
    }

    /// The reasons of what is in quarantine, by arrival.
    func reasons() async throws -> [String] {
        try await self.story.rows(
            "select reason from dialtone.quarantine where source_id = \(self.source) order by arrived_at")
    }

    /// The status by which the sender hears of an outcome.
    func status(of outcome: EventOutcome) -> Int {
        switch (self.sender.preset, outcome) {
        case ("okta", .quarantined): 204
        case ("supabase-hook", .ignored): 200
        case ("supabase-hook", _): 204
        case (_, .accepted), (_, .quarantined): 202
        default: 200
        }
    }
}
