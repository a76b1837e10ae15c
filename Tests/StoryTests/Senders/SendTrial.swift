// SPDX-License-Identifier: Apache-2.0
// What is sent in place of one preset's sender, to a source and a tenant of its own, and what it comes to.

import Composition
import Foundation
import Intake
import Model
import Postgres
import Synchronization
import TestSupport
import Testing

struct SendTrial: Sendable {
    private let story: Story
    private let preset: String
    private let tenant: TenantID
    private let order: SendOrder
    private let user: String

    init(_ preset: String, in story: Story) async throws {
        (self.story, self.preset, self.user) = (story, preset, "u|\(preset)")
        self.tenant = try TenantID("t-\(preset)")
        let administration = story.administration
        _ = try await administration.createTenant(self.tenant, connectionID: "1000000001")
        let isTracked = !["standard", "svix"].contains(preset)
        let secret = Self.secret(preset)
        let source = try await administration.createSource(
            preset, tenant: isTracked ? nil : self.tenant, allowed: [], preset: preset,
            configuration: isTracked ? Array(#"{"grammar":1,"tenant":"table"}"#.utf8) : nil,
            secret: Array(secret.utf8))
        if isTracked {
            _ = try await administration.mapOrganization("org_1", to: self.tenant, of: preset, tenant: nil)
        }
        var order = SendOrder(url: source.url)
        (order.preset, order.secret, order.user) = (preset, Secret(secret), self.user)
        order.organization = isTracked ? "org_1" : self.tenant.rawValue
        self.order = order
    }

    /// A sender's own secret, in the form in which that sender shows it.
    private static func secret(_ preset: String) -> String {
        let standard = "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())"
        switch preset {
        case "supabase-hook": return "v1,\(standard)"
        case "workos", "okta", "auth0", "auth0-logs", "supabase-db", "keycloak", "cloudevents":
            return "a-secret-of-\(preset)"
        default: return standard
        }
    }

    static func statuses(_ order: SendOrder) async throws -> [Int] {
        var statuses: [Int] = []
        try await SendEvents(order).run(now: Date()) { statuses.append($0.status) }
        return statuses
    }

    /// A sign-up, each delivery of it twice: the second ones change nothing.
    func create() async throws {
        var order = self.order
        order.times = 2
        // Two events under one id would count as one delivery.
        order.id = "given-\(self.preset)"
        let events = try SendEvents(order)
        var answers: [SendAnswer] = []
        try await events.run(now: Date()) { answers.append($0) }
        #expect(answers.count == events.names.count * 2 && answers.allSatisfy(\.isTaken), "\(self.preset) \(answers)")
        for answer in answers where answer.time == 2 && !answer.body.isEmpty {
            #expect(answer.body.contains(#""status":"duplicate""#), "\(self.preset) \(answer)")
        }
        try await self.expectEvents(events.names.count)
        try await self.waitUntil(.ready)
    }

    func expectRefusals() async throws {
        var order = self.order
        order.user = "nobody"
        order.fault = .forged
        let count = try SendEvents(order).names.count
        let refusals = [Int](repeating: 401, count: count)
        #expect(try await Self.statuses(order) == refusals, "\(self.preset)")
        order.fault = .stale
        let hasTime = !["auth0", "auth0-logs", "okta", "supabase-db", "keycloak", "cloudevents"].contains(self.preset)
        if hasTime {
            #expect(try await Self.statuses(order) == refusals, "\(self.preset)")
        } else {
            let error = #expect(throws: InvalidValue.self) { try SendEvents(order) }
            #expect(error?.reason.contains("this sender signs no time") == true)
        }
        try await self.expectEvents(count)
    }

    func delete() async throws {
        var order = self.order
        order.event = "deleted"
        if self.preset == "supabase-hook" {
            let error = #expect(throws: InvalidValue.self) { try SendEvents(order) }
            #expect(error?.field == "--event")
            return
        }
        #expect(try SendEvents(order).isTaking)
        let statuses = try await Self.statuses(order)
        #expect(statuses.allSatisfy { (200..<300).contains($0) }, "\(self.preset) \(statuses)")
        try await self.waitUntil(.revoked)
    }

    /// So many deliveries of the source are in the ledger.
    private func expectEvents(_ count: Int) async throws {
        let events = try await self.story.rows(
            """
            select coalesce(sent_id, delivery_id) from dialtone.events join dialtone.sources using (source_id)
            where slug = \(self.preset)
            """)
        #expect(events.count == count, "\(self.preset): \(events)")
    }

    private func waitUntil(_ status: UserStatus) async throws {
        try await self.story.until(
            """
            select 1 from dialtone.users
            where tenant_id = \(self.tenant) and user_id = \(self.user) and status = \(status)
            """)
    }
}

/// What was said, line by line.
final class Said: Sendable {
    private let heard = Mutex<[String]>([])

    var lines: [String] { self.heard.withLock { $0 } }

    func add(_ line: String) { self.heard.withLock { $0.append(line) } }
}
