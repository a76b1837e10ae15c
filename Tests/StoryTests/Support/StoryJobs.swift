// SPDX-License-Identifier: Apache-2.0
// Jobs under way: the waits until one stands somewhere, what its log says, and the moments a test puts one into.

import Foundation
import Model
import Postgres
import TestSupport

extension Story {
    func jobCount() async throws -> Int { try await self.rows("select user_id from dialtone.jobs").count }

    func waitUntilJob(of user: String, is state: JobState) async throws {
        try await self.until(
            """
            select 1 from dialtone.jobs
            where tenant_id = 'acme' and user_id = \(user) and state = \(state)
            """)
    }

    func waitUntilJob(of user: String, isForGeneration generation: Generation) async throws {
        try await self.until(
            """
            select 1 from dialtone.jobs
            where tenant_id = 'acme' and user_id = \(user) and generation = \(generation)
            """)
    }

    /// Waits until nobody knows whether the user's create has landed.
    func waitUntilInDoubt(_ user: String) async throws {
        try await self.until(
            "select 1 from dialtone.jobs where tenant_id = 'acme' and user_id = \(user) and in_doubt")
    }

    /// Waits until the log has the provider's refusal of a create of that generation.
    func waitUntilCreateIsRefused(of user: String, generation: Generation, with status: Int) async throws {
        try await self.until(
            """
            select 1 from dialtone.job_log
            where tenant_id = 'acme' and user_id = \(user) and generation = \(generation) and http_status = \(status)
            """)
    }

    /// Waits until the log has the provider's refusal of a delete of that generation.
    func waitUntilDeleteIsRefused(of user: String, generation: Generation, with status: Int) async throws {
        try await self.until(
            """
            select 1 from dialtone.job_log
            where tenant_id = 'acme' and user_id = \(user) and generation = \(generation) and http_status = \(status)
              and to_state <> 'looking'
            """)
    }

    /// How often the user's jobs looked at the provider.
    func looks(for user: String) async throws -> Int {
        try await self.rows(
            "select 'x' from dialtone.job_log where user_id = \(user) and to_state = 'looking'"
        ).count
    }

    // MARK: Moments to begin from

    /// Gives the user a job of generation 1 whose create is in doubt. Its quiet time is over, and it is due in an hour.
    /// `changes` run before, in the same transaction.
    func putInDoubt(_ user: String, after changes: SQL...) async throws {
        try await self.database.insert(
            changes + [
                Ledger.job(of: try Self.user(user), state: .inDoubt, isDoubtful: true, tag: "acme"),
                """
                update dialtone.jobs set run_at = now() + interval '1 hour', quiet_until = now()
                where user_id = \(user)
                """,
            ])
    }

    func makeJobsDue() async throws {
        try await self.database.admin.script("update dialtone.jobs set run_at = now()")
    }

    /// Takes the ledger back to the moment between the 201 of generation 1 and its commit: `worker` holds the job, and
    /// its lease ends in `lease` seconds.
    func forgetCommit(of user: String, worker: UUID, lease: Int) async throws {
        // One transaction, so the worker that runs meanwhile never sees a part of it.
        try await self.database.insert(
            "delete from dialtone.credentials where user_id = \(user)",
            "update dialtone.users set status = 'pending' where user_id = \(user)",
            Ledger.job(
                of: try Self.user(user), state: .armed, epoch: 1, worker: WorkerID(rawValue: worker),
                leaseEndsIn: .seconds(lease), tag: "acme"))
    }
}
