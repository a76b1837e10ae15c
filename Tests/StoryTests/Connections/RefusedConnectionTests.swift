// SPDX-License-Identifier: Apache-2.0
// The provider refuses one tenant's connection: its users wait, and nobody else does.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct RefusedConnectionTests {
    @Test func `the refused connection of one tenant leaves all other tenants alone`() async throws {
        let lines = LogLines()
        try await Story.with(Story.quick, logger: lines.logger) { story in
            let connection = "1000000002"
            let globex = try TenantID("globex")
            let sender = try await Self.sender(story, globex, connection: connection)
            try await story.provider.refuses(.create, with: 403, times: 1000, connection: connection)
            for number in 1...5 {
                let user = UserKey(tenant: globex, user: try UserID("g-\(number)"))
                _ = try await sender.send(
                    type: "user.created", user: user, deliveryID: "g-\(number)", at: Date(), occurredAt: Date())
            }
            try await story.until("select 1 from dialtone.job_log where tenant_id = 'globex' and http_status = 403")
            for number in 1...5 { try await story.signUp("u-\(number)") }
            let limits = try await story.administration.limits()
            #expect(limits.map(\.scope) == ["connection:\(connection)"] && limits[0].breaker == "open")
            let charged = try await story.rows(
                "select user_id from dialtone.jobs where tenant_id <> 'globex' or attempts > 0 or state = 'in_doubt'")
            #expect(charged.isEmpty, "they wait, uncharged and without doubt")

            // Once the provider accepts the connection again, the next probe opens it for all.
            try await story.provider.behaves()
            try await story.database.admin.script("update dialtone.provider_limits set probe_until = now()")
            try await Self.retryUntilOneIsReady(story)
            try await Self.passAMinuteUntilClosed(story)
            try await lines.waits { $0.hasPrefix("the provider accepts creates again") && $0.contains(connection) }
        }
    }

    /// A minute passes after a create that worked.
    private static func passAMinuteUntilClosed(_ story: Story) async throws {
        try await story.until(
            """
            with later as (update dialtone.provider_limits set probe_until = now() - interval '2 minutes'
                           where breaker = 'half_open' and allowance > 1)
            select 1 where not exists (select from dialtone.provider_limits where breaker <> 'closed')
            """)
        let limits = try await story.administration.limits()
        #expect(limits.isEmpty)
    }

    /// A second tenant, with a connection and a source of its own.
    private static func sender(_ story: Story, _ tenant: TenantID, connection: String) async throws -> SignUpSender {
        let administration = story.administration
        _ = try await administration.createTenant(tenant, connectionID: connection)
        let source = try await administration.createSource("app", tenant: tenant, allowed: [], preset: "standard")
        return try SignUpSender(
            url: story.address + source.url.dropFirst(story.address.count), secret: Secret(try source.madeSecret()),
            http: story.http)
    }

    /// Makes the jobs due time and again, because the worker learns of the probe some moments later.
    private static func retryUntilOneIsReady(_ story: Story) async throws {
        try await story.until(
            """
            with again as (update dialtone.jobs set run_at = now() where state = 'scheduled')
            select 1 from dialtone.users where tenant_id = 'globex' and status = 'ready' having count(*) >= 1
            """)
    }
}
