// SPDX-License-Identifier: Apache-2.0
// The ledger on another server: what a restart, a fail-over, a restore and a clone change, and how a dead node is
// known.

import Composition
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct IncarnationTests {
    private static let quick = [
        "DIALTONE_HTTP_DEADLINE": "1s", "DIALTONE_PROVIDER_MARGIN": "1s", "DIALTONE_LEASE": "6s",
        "DIALTONE_SWEEP_INTERVAL": "1h",
    ]

    @Test func afterARestartEveryCreateLooksFirstUntilASweepHasEnded() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("before")
            #expect(try await story.looks() == 0)
            try await story.holdSweeps(true)
            try await story.meet("started = started - 1", change: "restart")
            try await story.signUp("after")
            #expect(try await story.looks() == 1)
            try await story.holdSweeps(false)
            _ = try await story.sweep()
            try await story.until("select 1 from dialtone.incarnation where not looks_first")
            try await story.signUp("later")
            #expect(try await story.looks() == 1)
        }
    }

    @Test func afterAFailOverAbsenceTakesTwoLooksAndWhatWasLostIsAdopted() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("lost")
            let id = try await story.activeID()
            // The standby had nothing of this user yet.
            try await story.database.admin.script(
                "delete from dialtone.credentials; delete from dialtone.users; delete from dialtone.events")
            try await story.holdSweeps(true)
            try await story.meet("started = started - 1, timeline = 77", change: "failover")
            try await story.signUp("lost")
            #expect(try await story.activeID() == id)
            try await story.signUp("new")
            try await story.untilAtRest()
            let looked = try await story.rows(
                "select 'x' from dialtone.job_log where user_id = 'new' and to_state in ('in_doubt', 'looking')")
            #expect(looked.count >= 2, "the first empty answer is not believed")
            #expect(try await story.providerIDs().count == 2)
        }
    }

    @Test func onAnotherSystemNothingIsDeletedUntilAnOperatorSaysWhatItIs() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.meet("started = started - 1, system_identifier = 1", change: "restore")
            let state = try #require(try await Administration(story.settings).installation())
            #expect(state.needs_confirmation && state.looks_first)
            _ = try await story.send("user.deleted", "u", delivery: "gone")
            try await story.until("select 1 from dialtone.jobs where state = 'scheduled'")
            #expect(try await story.providerIDs().count == 1)
            try await Administration(story.settings).confirmInstallation(isClone: false)
            _ = try await Administration(story.settings).retry(
                UserKey(tenant: try TenantID("acme"), user: try UserID("u")))
            try await story.until("select 1 from dialtone.users where status = 'revoked'")
            #expect(try await story.providerIDs().isEmpty)
        }
    }

    @Test func aCloneIsNotMadeUnderARunningWorker() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.until("select 1 from dialtone.workers where held_under is not null and free_since is null")
            await #expect(throws: (any Error).self) {
                try await Administration(story.settings).confirmInstallation(isClone: true)
            }
            #expect(try await story.rows("select 'x' from dialtone.credentials where status = 'active'").count == 1)
        }
    }

    @Test func aDeadNodesJobsAreRescuedWithoutWaitingForTheLease() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let id = try await story.activeID()
            try await story.until("select 1 from dialtone.workers where held_under is not null and free_since is null")
            // As a worker leaves it that was killed between the 201 and its commit, an hour of lease ahead.
            try await story.database.admin.script(
                """
                delete from dialtone.credentials;
                update dialtone.users set status = 'pending';
                insert into dialtone.workers (worker, lock_key, held_under, free_since)
                select '00000000-0000-0000-0000-000000000001', 1, started, now() - interval '3 seconds'
                from dialtone.incarnation;
                insert into dialtone.jobs (id, tenant_id, user_id, generation, vt, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                values (gen_random_uuid(), 'acme', 'u', 1, 1, now(), now(), 'armed', 1,
                        '00000000-0000-0000-0000-000000000001', now() + interval '1 hour', 'acme')
                """)
            try await story.until("select 1 from dialtone.users where status = 'ready'")
            #expect(try await story.activeID() == id)
            #expect(
                try await story.rows("select 'x' from dialtone.job_log where error_code = 'worker_gone'").count == 1)
        }
    }
}

extension Story {
    /// Makes the ledger believe that it lived on another server, and waits until the worker has met this one.
    fileprivate func meet(_ difference: String, change: String) async throws {
        try await self.until("select 1 from dialtone.incarnation")
        try await self.database.admin.script("update dialtone.incarnation set \(difference)")
        try await self.until(
            """
            select 1 from dialtone.incarnation
            where change = \(change) and started = (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint
            """)
    }

    /// Keeps the workers' own sweeps away, so that what they would end lasts.
    fileprivate func holdSweeps(_ isHeld: Bool) async throws {
        try await self.database.admin.script(
            isHeld
                ? "update dialtone.sweep set holder = gen_random_uuid(), held_until = now() + interval '1 hour'"
                : "update dialtone.sweep set holder = null, held_until = null")
    }

    /// How often a job was armed a second time, by an empty answer.
    fileprivate func looks() async throws -> Int {
        try await self.rows("select 'x' from dialtone.job_log where from_state = 'looking' and to_state = 'armed'")
            .count
    }
}
