// SPDX-License-Identifier: Apache-2.0
// Sign-ups written by SQL as intake leaves them: a user and a job each, and the hint that intake's node sends.

import Postgres

enum ImportLine {
    /// Writes sign-ups of one tenant. Each job stands a tenth of a second behind the one before it, and no place is more
    /// than an hour ahead of the clock.
    static func fill(_ users: Int, of tenant: String = "acme", from first: Int = 1, on database: PostgresConnection)
        async throws
    {
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
            select '\(tenant)', 'user-' || number, 'live', 1, 'pending', clock_timestamp()
            from generate_series(\(first), \(first + users - 1)) number;
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
            select gen_random_uuid(), '\(tenant)', 'user-' || number, 1,
                   (extract(epoch from now()) * 1000000)::bigint
                   + least((number - \(first - 1)) * 100000::bigint, 3600000000 + number), now(), now()
            from generate_series(\(first), \(first + users - 1)) number;
            analyze
            """)
    }

    /// Signs up the user in each of the tenants `t1`, `t2`, … of this range.
    static func signUp(tenants: ClosedRange<Int>, user: String, on database: PostgresConnection) async throws {
        _ = try await database.query(
            """
            with owner as (
                insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                select 't' || number, \(user), 'live', 1, 'pending', clock_timestamp()
                from generate_series(\(tenants.lowerBound), \(tenants.upperBound)) number
                returning tenant_id, user_id)
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
            select gen_random_uuid(), tenant_id, user_id, 1,
                   (extract(epoch from clock_timestamp()) * 1000000)::bigint, now(), now() from owner
            """)
        _ = try await database.query("select pg_notify('dialtone_jobs', '')::text")
    }
}
