// SPDX-License-Identifier: Apache-2.0
// A user's later life: revoked at any moment, signed up again, rotated, tried again; both sides agree at the end of
// each.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct UserLifeTests {
    private static let quick = [
        "DIALTONE_HTTP_DEADLINE": "2s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "8s",
    ]

    @Test func aRotationReplacesTheCredentialAndLeavesNoOther() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let first = try await story.activeID()
            let line = try await Administration(story.settings).rotate(try Self.key("u"), overlap: .zero)
            #expect(line.status == "ready", "the old one serves meanwhile")
            try await story.untilAtRest()
            let second = try await story.activeID()
            #expect(first != second)
            #expect(try await story.providerIDs() == [second])
            let rows = try await story.rows("select generation || status from dialtone.credentials order by generation")
            #expect(rows == ["1deleted", "2active"])
        }
    }

    /// Its sender gives no times, so that a sign-up after the delete may be one from before it.
    @Test func whoCannotSignUpAgainIsReopenedByAnOperator() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let administration = Administration(story.settings)
            await #expect(throws: (any Error).self) { try await administration.reopen(try Self.key("u")) }
            _ = try await administration.revoke(try Self.key("u"))
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            let late = try await story.send("user.created", "u", delivery: "late", at: Date() - 3600)
            #expect(late.body.contains("superseded"))
            #expect(try await administration.reopen(try Self.key("u")).status == "pending")
            try await story.untilAtRest()
            let rows = try await story.rows("select generation || status from dialtone.credentials order by generation")
            #expect(rows == ["1deleted", "2active"])
            #expect(try await story.providerIDs() == [try await story.activeID()])
        }
    }

    /// The old one is all its user has until the new one is there, whatever the job was about when the rotation came.
    @Test func aRotationWhileInDoubtKeepsTheOldCredentialUntilTheNewIsThere() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let first = try await story.activeID()
            try await story.database.admin.script(
                """
                insert into dialtone.jobs (id, tenant_id, user_id, generation, vt, run_at, enqueued_at, state, in_doubt,
                                           quiet_until, tag)
                values (gen_random_uuid(), 'acme', 'u', 1, 1, now() + interval '1 hour', now(), 'in_doubt', true, now(), 'acme')
                """)
            _ = try await Administration(story.settings).rotate(try Self.key("u"), overlap: .seconds(3600))
            // The new one cannot be made for now.
            try await story.fault("status", times: 1000, "\"status\":403")
            try await story.database.admin.script("update dialtone.jobs set run_at = now()")
            try await story.until("select 1 from dialtone.job_log where generation = 2 and http_status = 403")
            #expect(try await story.providerIDs() == [first])
            #expect(try await story.rows("select status from dialtone.credentials") == ["active"])
        }
    }

    /// `user show` tells the whole life: each transition begins where the one before has ended.
    @Test func theLogHasNoGaps() async throws {
        try await Story.with(Self.quick) { story in
            let administration = Administration(story.settings)
            try await story.fault("drop_after_commit", times: 1)
            try await story.signUp("u")
            try await story.fault("status", times: 1, "\"status\":503")
            _ = try await administration.rotate(try Self.key("u"), overlap: .seconds(1))
            try await story.untilAtRest()
            try await story.fault("rate_limited", times: 1)
            _ = try await administration.rotate(try Self.key("u"), overlap: .zero)
            try await story.untilAtRest()
            _ = try await administration.revoke(try Self.key("u"))
            try await story.untilAtRest()
            let (_, timeline) = try #require(try await administration.user(try Self.key("u")))
            var last: [String: String] = [:]
            for row in try await story.database.admin.query(
                "select job_id::text, from_state, to_state from dialtone.job_log order by at, epoch, to_state <> 'owned'"
            ) {
                let (job, from, to) = try row.decode(String.self, String.self, String.self)
                #expect(from == last[job, default: "queued"], "\(from) to \(to)")
                // Owned is a fact on the way: the same transaction says where the job goes.
                if to != "owned" { last[job] = to }
            }
            #expect(timeline.count >= 15)
            // Who did it, under which epoch, and what the provider said.
            let told = try await story.rows(
                """
                select concat_ws(' ', to_state, http_status, (provider_request_id is not null)::text) from dialtone.job_log
                where worker is not null and epoch > 0 and http_status is not null
                """)
            #expect(
                Set(told).isSuperset(of: ["owned 201 true", "in_doubt 503 true", "scheduled 429 true"]), "\(Set(told))")
            #expect(
                try await story.rows(
                    "select to_state from dialtone.job_log where to_state in ('armed', 'looking') and worker is null"
                )
                .isEmpty)
        }
    }

    /// That its successor cannot be made is no reason to leave what was taken away.
    @Test func aRevokedCredentialGoesEvenWhenTheNextCannotBeMade() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.fault("status", times: 1000, "\"status\":403")
            _ = try await story.send("user.deleted", "u", delivery: "gone", at: Date() + 1)
            _ = try await story.send("user.created", "u", delivery: "back", at: Date() + 2)
            try await story.until("select 1 from dialtone.credentials where generation = 1 and status = 'deleted'")
            #expect(try await story.providerIDs().isEmpty)
            try await story.until("select 1 from dialtone.jobs where generation = 2")
        }
    }

    /// Nor that its first delete failed, so that its successor came first.
    @Test func aRevokedCredentialWhoseDeleteFailedGoesEvenWhenTheNextCannotBeMade() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.fault(
                "status", times: 1000, "\"status\":403",
                and: "{\"operation\":\"delete\",\"kind\":\"status\",\"times\":1,\"status\":422}")
            _ = try await story.send("user.deleted", "u", delivery: "gone", at: Date() + 1)
            _ = try await story.send("user.created", "u", delivery: "back", at: Date() + 2)
            try await story.until(
                "select 1 from dialtone.job_log where generation = 1 and to_state <> 'looking' and http_status = 422")
            try await story.until("select 1 from dialtone.credentials where generation = 1 and status = 'deleted'")
            #expect(try await story.providerIDs().isEmpty)
            try await story.until("select 1 from dialtone.jobs where generation = 2")
        }
    }

    @Test func theOldCredentialServesForTheOverlapUnlessItsUserIsRevoked() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            _ = try await Administration(story.settings).rotate(try Self.key("u"), overlap: .seconds(3600))
            try await story.until("select 1 from dialtone.credentials where generation = 2 and status = 'active'")
            try await story.until("select 1 from dialtone.jobs where state = 'scheduled'")
            #expect(try await story.providerIDs().count == 2)
            #expect(try await story.post("/v1/login-tokens", "{\"user_id\":\"u\"}").status == 200)
            // Rotated once more: the first goes when its hour is over, not sooner and not later.
            _ = try await Administration(story.settings).rotate(try Self.key("u"), overlap: .seconds(3600))
            try await story.until("select 1 from dialtone.credentials where generation = 3 and status = 'active'")
            #expect(try await story.providerIDs().count == 3)
            _ = try await Administration(story.settings).revoke(try Self.key("u"))
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            try await story.untilAtRest()
            #expect(try await story.providerIDs().isEmpty)
            #expect(try await story.post("/v1/login-tokens", "{\"user_id\":\"u\"}").status == 410)
        }
    }

    @Test func whoIsDeletedDuringTheCreateEndsWithNone() async throws {
        try await Story.with(Self.quick) { story in
            try await story.fault("delay", times: 1, "\"milliseconds\":1000")
            #expect(try await story.send("user.created", "u", delivery: "d1").status == 202)
            try await story.until("select 1 from dialtone.jobs where state = 'armed'")
            #expect(try await story.send("user.deleted", "u", delivery: "d2").status == 202)
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            try await story.untilAtRest()
            #expect(try await story.providerIDs().isEmpty)
            #expect(try await story.provider("/control/counts").contains("\"creates\":1,\"deletes\":1"))
        }
    }

    @Test func whoIsDeletedInDoubtAndSignsUpAgainEndsWithOneOfTheNextGeneration() async throws {
        try await Story.with(Self.quick) { story in
            try await story.fault("drop_after_commit", times: 1)
            let morning = Date(timeIntervalSinceNow: -100)
            #expect(try await story.send("user.created", "u", delivery: "d1", at: morning).status == 202)
            try await story.until("select 1 from dialtone.jobs where in_doubt")
            #expect(try await story.send("user.deleted", "u", delivery: "d2", at: morning + 1).status == 202)
            #expect(try await story.send("user.created", "u", delivery: "d3", at: morning + 2).status == 202)
            try await story.until("select 1 from dialtone.users where status = 'ready' and generation = 2")
            try await story.untilAtRest()
            #expect(try await story.providerIDs() == [try await story.activeID()])
        }
    }

    @Test func reorderedDeliveriesEndAsTheSenderMeantThem() async throws {
        try await Story.with(Self.quick) { story in
            let morning = Date(timeIntervalSinceNow: -100)
            func send(_ type: String, _ user: String, _ second: Int) async throws -> Story.Reply {
                try await story.send(type, user, delivery: "\(user)-\(second)", at: morning + TimeInterval(second))
            }
            // deleted, before the created it belongs to has come
            #expect(try await send("user.deleted", "a", 2).status == 202)
            #expect(try await send("user.created", "a", 1).body.contains("superseded"))
            // the newest word on a wish counts, although it changes nothing
            _ = try await send("user.created", "b", 1)
            #expect(try await send("user.created", "b", 10).body.contains("duplicate"))
            #expect(try await send("user.deleted", "b", 5).body.contains("superseded"))
            _ = try await send("user.deleted", "c", 5)
            #expect(try await send("user.deleted", "c", 20).body.contains("duplicate"))
            #expect(try await send("user.created", "c", 10).body.contains("superseded"))
            try await story.untilAtRest()
            let users = try await story.rows("select user_id || wanted || status from dialtone.users order by user_id")
            #expect(users == ["agonerevoked", "bliveready", "cgonerevoked"])
            #expect(try await story.providerIDs().count == 1)
        }
    }

    @Test func whoFailedIsTriedAgainAndLookedForFirst() async throws {
        try await Story.with(Self.quick) { story in
            try await story.fault("status", times: 2, "\"status\":422")
            _ = try await story.send("user.created", "u", delivery: "d")
            try await story.until("select 1 from dialtone.users where status = 'failed'")
            #expect(try await Administration(story.settings).retry(try Self.key("u")).status == "pending")
            try await story.until("select 1 from dialtone.users where status = 'ready'")
            try await story.untilAtRest()
            let looked = try await story.rows("select 'x' from dialtone.job_log where to_state = 'looking'")
            #expect(looked.count == 1)
        }
    }

    @Test func whoFailedAndIsDeletedIsLookedForAndEndsRevoked() async throws {
        try await Story.with(Self.quick) { story in
            try await story.fault("status", times: 2, "\"status\":422")
            _ = try await story.send("user.created", "u", delivery: "d1")
            try await story.until("select 1 from dialtone.users where status = 'failed'")
            try await story.database.admin.script(
                "update dialtone.dead_jobs set maybe_created = true, quiet_until = now()")
            _ = try await story.send("user.deleted", "u", delivery: "d2")
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            let looked = try await story.rows("select 'x' from dialtone.job_log where to_state = 'looking'")
            #expect(looked.count == 2, "absence after doubt takes two empty answers")
        }
    }

    private static func key(_ user: String) throws -> UserKey {
        UserKey(tenant: try TenantID("acme"), user: try UserID(user))
    }
}

extension Story {
    func signUp(_ user: String) async throws {
        _ = try await self.send("user.created", user, delivery: "created-\(user)")
        try await self.until(
            "select 1 from dialtone.users where user_id = \(user) and status = 'ready'")
    }

    /// No job is left, and nothing is to be deleted.
    func untilAtRest() async throws {
        try await self.until(
            """
            select 1 where not exists (select 1 from dialtone.jobs)
              and not exists (select 1 from dialtone.surplus where deleted_at is null)
            """)
    }

    func rows(_ statement: SQL) async throws -> [String] {
        try await self.database.admin.query(statement).map { try $0.decode(String.self) }
    }

    func activeID() async throws -> String {
        let rows = try await self.rows("select provider_id from dialtone.credentials where status = 'active'")
        try #require(rows.count == 1)
        return rows[0]
    }

    func providerIDs() async throws -> [String] {
        struct Held: Decodable {
            struct One: Decodable { var id: String }
            var data: [One]
        }
        let text = try await self.provider("/control/credentials")
        return try JSONDecoder().decode(Held.self, from: Data(text.utf8)).data.map(\.id)
    }
}
