// SPDX-License-Identifier: Apache-2.0
// Jobs that were given up before this version come over into the table of jobs, with their doubt.

import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct DeadJobMigrationTests {
    @Test func `what was given up before becomes dead jobs and followed doubts`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            _ = try await Schema(migrations: Array(Migration.all.prefix(14))).migrate(on: database.admin)
            try await database.admin.script(Self.before)
            _ = try await Schema(migrations: Array(Migration.all.prefix(15))).migrate(on: database.admin)
            let jobs = try await database.admin.query(
                """
                select concat_ws(' ', user_id, generation, state, in_doubt, tag, deaths, reason, words, must_look,
                                 run_at = '2027-01-01 00:00Z'::timestamptz + interval '4 hours')
                from dialtone.jobs order by user_id
                """
            ).map { try $0.decode(String.self) }
            #expect(
                jobs == [
                    "doubtful 1 dead t acme 1 crashed_too_often f f",
                    "noted 1 queued f t f",
                    "often 2 dead f 3 too_many_attempts no f t",
                ])
            let doubts = try await database.admin.query(
                "select concat_ws(' ', user_id, generation, tag, due_at <= now()) from dialtone.doubts"
            ).map { try $0.decode(String.self) }
            #expect(doubts == ["doubtful 1 acme t"])
            #expect(try await database.admin.query("select 1 from pg_tables where tablename = 'dead_jobs'").isEmpty)
        }
    }

    /// `often` has failed three times, `doubtful` once in doubt. `noted` has a job of another generation. `ready` has
    /// failed and is ready again.
    private static let before = """
        insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
        values ('acme', 'often', 'live', 2, 'failed', now()), ('acme', 'doubtful', 'live', 1, 'failed', now()),
               ('acme', 'noted', 'live', 2, 'pending', now()), ('acme', 'ready', 'live', 1, 'ready', now());
        insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
        values (gen_random_uuid(), 'acme', 'noted', 1, 1, now(), now());
        insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, provider_words, maybe_created,
                                        epoch, attempts, tag, died_at)
        select gen_random_uuid(), 'acme', 'often', 2, 'too_many_attempts', 'no', false, 1, 20, 'acme', at
        from unnest(array['2026-12-01 00:00Z', '2026-12-02 00:00Z', '2027-01-01 00:00Z']::timestamptz[]) as at;
        insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, maybe_created, epoch, attempts, tag)
        values (gen_random_uuid(), 'acme', 'doubtful', 1, 'crashed_too_often', true, 1, 3, 'acme'),
               (gen_random_uuid(), 'acme', 'noted', 2, 'seen_by_sweep', false, 0, 0, null),
               (gen_random_uuid(), 'acme', 'ready', 1, 'rejected', false, 1, 2, 'acme');
        """
}
