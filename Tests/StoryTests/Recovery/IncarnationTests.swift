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

    @Test func `after a restart every create looks first until a sweep has ended`() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("before")
            #expect(try await story.createsAfterALook() == 0)
            try await story.holdVisits(true)
            try await story.meet("started = started - 1", change: "restart")
            try await story.signUp("after")
            #expect(try await story.createsAfterALook() == 1)
            try await story.holdVisits(false)
            _ = try await story.sweep()
            try await story.waitUntilLedgerIsTrusted()
            try await story.signUp("later")
            #expect(try await story.createsAfterALook() == 1)
        }
    }

    @Test func `after a fail-over nothing is absent before the quiet time, and the lost are adopted`() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("lost")
            let id = try await story.activeID()
            // The standby had nothing of this user yet.
            try await story.database.admin.script(
                "delete from dialtone.credentials; delete from dialtone.users; delete from dialtone.events")
            try await story.holdVisits(true)
            try await story.meet("started = started - 1, timeline = 77", change: "failover")
            try await story.signUp("lost")
            #expect(try await story.activeID() == id)
            try await story.signUp("new")
            try await story.waitUntilAtRest()
            let steps = try await story.rows(
                "select 'x' from dialtone.job_log where user_id = 'new' and to_state in ('in_doubt', 'looking')")
            #expect(steps.count >= 2, "an empty answer before the quiet time is not believed")
            #expect(try await story.provider.ids().count == 2)
        }
    }

    @Test func `on another system nothing is deleted until an operator says what the database is`() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.meet("started = started - 1, system_identifier = 1", change: "restore")
            let state = try #require(try await story.administration.installation())
            #expect(state.needs_confirmation && state.looks_first)
            _ = try await story.send(.deleted, "u", delivery: "gone")
            try await story.waitUntilJob(of: "u", is: .scheduled)
            #expect(try await story.provider.ids().count == 1)
            try await story.administration.confirmInstallation(isClone: false)
            try await story.retry("u")
            try await story.waitUntil("u", is: .revoked)
            #expect(try await story.provider.ids().isEmpty)
        }
    }

    @Test func `a clone is not made under a running worker`() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            try await story.waitUntilAWorkerIsPresent()
            await #expect(throws: (any Error).self) {
                try await story.administration.confirmInstallation(isClone: true)
            }
            #expect(try await story.credentials(of: "u") == [.init(1, .active)])
        }
    }

    @Test func `a dead node's jobs are rescued without waiting for the lease`() async throws {
        try await Story.with(Self.quick) { story in
            try await story.signUp("u")
            let id = try await story.activeID()
            try await story.waitUntilAWorkerIsPresent()
            // A worker was killed between the 201 and its commit, with an hour of lease ahead.
            let dead = UUID()
            try await story.forgetCommit(of: "u", worker: dead, lease: 3600)
            _ = try await story.database.admin.query(
                """
                insert into dialtone.workers (worker, lock_key, held_under, free_since)
                select \(dead), 1, started, now() - interval '3 seconds' from dialtone.incarnation
                """)
            try await story.waitUntil("u", is: .ready)
            #expect(try await story.activeID() == id)
            let rescues = try await story.rows("select 'x' from dialtone.job_log where error_code = 'worker_gone'")
            #expect(rescues.count == 1)
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

    /// How often an empty look was followed by a create.
    fileprivate func createsAfterALook() async throws -> Int {
        try await self.rows("select 'x' from dialtone.job_log where from_state = 'looking' and to_state = 'armed'")
            .count
    }

    /// Waits until the lock of a worker's node has been seen held.
    fileprivate func waitUntilAWorkerIsPresent() async throws {
        try await self.until("select 1 from dialtone.workers where held_under is not null and free_since is null")
    }
}
