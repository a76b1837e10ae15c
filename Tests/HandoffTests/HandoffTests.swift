// SPDX-License-Identifier: Apache-2.0
// The handoff gives login tokens to users with a credential only, mints few, and reports the provider's failures.

import Foundation
import Model
import Postgres
import Telnyx
import TestSupport
import Testing

@testable import Handoff

@Suite struct HandoffTests {
    @Test func `calls for one user share one login token until half its life is over`() async throws {
        try await HandoffBed.withUser { handoff, provider, _ in
            let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { try await handoff.token(at: HandoffBed.noon).loginToken.reveal() } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(tokens == ["token-1"] && provider.calls == 1)
            let hour: TimeInterval = 3600
            #expect(try await handoff.token(at: HandoffBed.noon + 11 * hour).loginToken.reveal() == "token-1")
            #expect(try await handoff.token(at: HandoffBed.noon + 13 * hour).loginToken.reveal() == "token-2")
        }
    }

    @Test func `a login token comes with its SIP username, its expiry and its refresh time`() async throws {
        try await HandoffBed.withUser { handoff, _, _ in
            let handed = try await handoff.token(at: HandoffBed.noon)
            #expect(handed.sipUsername == "sip-user")
            #expect(handed.expiresAt == HandoffBed.noon + 86400)
            #expect(handed.refreshAfter < handed.expiresAt - 119 && handed.refreshAfter > HandoffBed.noon)
            #expect(!"\(handed)".contains("token-1"), "a token in a log would be a login")
        }
    }

    @Test func `only a user with a credential gets a login token`() async throws {
        try await HandoffBed.withUser { handoff, provider, database in
            try await database.admin.script("update dialtone.credentials set status = 'deleted'")
            for (change, expected) in [
                ("status = 'pending', ready_at = null", .pending(retryAfter: 1)), ("status = 'failed'", .failed),
                ("status = 'revoking', wanted = 'gone'", .revoked), ("status = 'revoked', wanted = 'gone'", .revoked),
            ] as [(String, HandoffError)] {
                try await database.admin.script("update dialtone.users set \(change)")
                await #expect(throws: expected) { try await handoff.token(at: HandoffBed.noon) }
            }
            try await database.admin.script("delete from dialtone.users")
            await #expect(throws: HandoffError.unknownUser) { try await handoff.token(at: HandoffBed.noon) }
            #expect(provider.calls == 0)
        }
    }

    /// The cache is no way around a revoke, because every call asks the ledger.
    @Test func `a revoked user gets no login token from the cache`() async throws {
        try await HandoffBed.withUser { handoff, _, database in
            _ = try await handoff.token(at: HandoffBed.noon)
            try await database.admin.script("update dialtone.users set status = 'revoked', wanted = 'gone'")
            await #expect(throws: HandoffError.revoked) { try await handoff.token(at: HandoffBed.noon) }
        }
    }

    @Test func `a call that may wait returns when the user is ready`() async throws {
        try await HandoffBed.withUser { handoff, _, database in
            try await database.admin.script(
                "update dialtone.users set status = 'pending'; update dialtone.credentials set status = 'deleted'")
            async let waiting = handoff.token(at: HandoffBed.noon, wait: .seconds(20))
            try await database.admin.script(
                "update dialtone.users set status = 'ready'; update dialtone.credentials set status = 'active'")
            #expect(try await waiting.sipUsername == "sip-user")
        }
    }

    /// The older credential serves during a rotation, and also after a rotation has failed.
    @Test func `the older credential serves until its successor exists`() async throws {
        try await HandoffBed.withUser { handoff, provider, database in
            for status in ["ready", "failed"] {
                try await database.admin.script("update dialtone.users set generation = 2, status = '\(status)'")
                #expect(try await handoff.token(at: HandoffBed.noon).sipUsername == "sip-user")
            }
            #expect(provider.calls == 1)
        }
    }

    @Test func `a failure of the provider is not cached, and a 429 pauses every node`() async throws {
        try await HandoffBed.withUser { handoff, provider, database in
            for kind in [TelnyxFailure.Kind.notFound, .refused, .rejected, .unavailable, .unreadable] {
                provider.fail(TelnyxFailure(kind))
                await #expect(throws: HandoffError.providerUnavailable(retryAfter: 5)) {
                    try await handoff.token(at: HandoffBed.noon)
                }
            }
            provider.fail(TelnyxFailure(.rateLimited, retryAfter: .seconds(30)))
            await #expect(throws: HandoffError.providerUnavailable(retryAfter: 31)) {
                try await handoff.token(at: HandoffBed.noon)
            }
            let paused = try await database.admin.query(
                "select scope from dialtone.provider_limits where paused_until > now()"
            ).map { try $0.decode(String.self) }
            #expect(paused == ["kind:tokens"], "a 429 pauses the tokens of every node, and nothing else")
            let calls = provider.calls
            let error = await #expect(throws: HandoffError.self) { try await handoff.token(at: HandoffBed.noon) }
            guard case .providerUnavailable(let seconds) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect((20...31).contains(seconds), "the caller is told how long the pause is")
            #expect(provider.calls == calls, "and while it lasts nothing is sent")
            try await database.admin.script("delete from dialtone.provider_limits")
        }
    }

    /// The service's own policy shows every row. With that policy closed, a look-up as the service finds nothing.
    @Test func `the ledger is read as the tenant, behind row-level security`() async throws {
        try await HandoffBed.with(["acme": ["u"], "globex": ["g"]]) { handoff, _, database in
            try await database.admin.script(
                """
                alter policy service on dialtone.users using (false);
                alter policy service on dialtone.credentials using (false);
                """)
            #expect(try await handoff.token(at: HandoffBed.noon).sipUsername == "sip-user")
            #expect(try await handoff.token(at: HandoffBed.noon, user: "g", of: "globex").sipUsername == "sip-user")
            await #expect(throws: HandoffError.unknownUser) {
                try await handoff.token(at: HandoffBed.noon, user: "g", of: "acme")
            }
            // The wall decides, and not the statement's own condition alone.
            try await database.admin.script("alter policy tenant on dialtone.users using (tenant_id = 'globex')")
            await #expect(throws: HandoffError.unknownUser) { try await handoff.token(at: HandoffBed.noon) }
        }
    }

    @Test func `a credential row moved to another user gives no login token`() async throws {
        try await HandoffBed.withUser { handoff, _, database in
            let thief = UserKey(tenant: testTenant, user: try UserID("thief"))
            try await database.insert(Ledger.user(thief, status: .ready, readyAt: Date()))
            try await database.admin.script("update dialtone.credentials set user_id = 'thief'")
            await #expect(throws: HandoffError.unavailable) {
                try await handoff.token(at: HandoffBed.noon, user: "thief")
            }
        }
    }
}
