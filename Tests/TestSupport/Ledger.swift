// SPDX-License-Identifier: Apache-2.0
// Rows of the ledger as a test begins with them: a verb for each table, with a default for every column.

package import Foundation
package import Model
package import Postgres

/// Statements that insert rows. `TestDatabase.insert` runs them, and a test may run them in a transaction of its own.
///
/// Without other values each row belongs to `testTenant` and `testUserKey`. The plural forms insert one row for each of
/// the users `user-1`, `user-2`, … in one statement, so they suit thousands of rows.
package enum Ledger {
    // MARK: Tenants

    /// A tenant without tags. It is seen, if a server is known.
    package static func tenant(_ tenant: TenantID = testTenant, connection: String = "1") -> SQL {
        """
        insert into dialtone.tenants (tenant_id, connection_id, seen_era)
        values (\(tenant), \(connection), (select era from dialtone.incarnation))
        """
    }

    /// The first shard of the tenant's tag, seen as its tenant is. Of its slots, `held` are taken.
    package static func tag(of tenant: TenantID = testTenant, held: Int = 0) -> SQL {
        """
        insert into dialtone.tenant_tags (tenant_id, shard, tag, held, seen_era)
        values (\(tenant), 1, \(tenant), \(Int32(held)),
                (select seen_era from dialtone.tenants where tenant_id = \(tenant)))
        """
    }

    // MARK: Users

    package static func user(
        _ user: UserKey = testUserKey, wanted: Wanted = .live, generation: Generation = 1,
        status: UserStatus = .pending, occurredAt: Date? = nil, readyAt: Date? = nil
    ) -> SQL {
        """
        insert into dialtone.users (tenant_id, user_id, wanted, generation, status, occurred_at, received_at, ready_at)
        values (\(user.tenant), \(user.user), \(wanted), \(generation), \(status), \(occurredAt), now(), \(readyAt))
        """
    }

    /// Pending users of `testTenant` who want their first credential.
    package static func users(_ count: Int) -> SQL {
        """
        insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
        select \(testTenant), 'user-' || number, 'live', 'pending', now() from generate_series(1, \(count)) as number
        """
    }

    // MARK: Jobs

    /// A job at place 1 of the queue. With a worker it has a lease, which ends after `leaseEndsIn`; a negative duration
    /// means that it has ended. Without an id it gets a random one.
    package static func job(
        _ id: JobID? = nil, of user: UserKey = testUserKey, generation: Generation = 1, state: JobState = .queued,
        epoch: Int64 = 0, worker: WorkerID? = nil, leaseEndsIn: Duration = .seconds(3600), isDoubtful: Bool = false,
        tag: String? = nil
    ) -> SQL {
        self.insertJobs(
            "select coalesce(\(id), gen_random_uuid()), \(user.tenant), \(user.user), 1", generation: generation,
            state: state, epoch: epoch, worker: worker, leaseEndsIn: leaseEndsIn, isDoubtful: isDoubtful, tag: tag)
    }

    /// A job for each of the first `count` users of `testTenant`, at the places 1, 2, … A lease ends in an hour.
    package static func jobs(
        _ count: Int, state: JobState = .queued, epoch: Int64 = 0, worker: WorkerID? = nil, isDoubtful: Bool = false,
        tag: String? = nil
    ) -> SQL {
        self.insertJobs(
            """
            select gen_random_uuid(), \(testTenant), 'user-' || number, number
            from generate_series(1, \(count)) as number
            """,
            generation: 1, state: state, epoch: epoch, worker: worker, leaseEndsIn: .seconds(3600),
            isDoubtful: isDoubtful, tag: tag)
    }

    /// `rows` has the columns id, tenant_id, user_id and place.
    private static func insertJobs(
        _ rows: SQL, generation: Generation, state: JobState, epoch: Int64, worker: WorkerID?, leaseEndsIn: Duration,
        isDoubtful: Bool, tag: String?
    ) -> SQL {
        """
        insert into dialtone.jobs (id, tenant_id, user_id, place, generation, run_at, enqueued_at, state, epoch, worker,
                                   lease_until, in_doubt, tag)
        select id, tenant_id, user_id, place, \(generation), now(), now(), \(state), \(epoch), \(worker),
               case when \(worker != nil) then now() + \(leaseEndsIn) end, \(isDoubtful), \(tag)
        from (\(rows)) as job (id, tenant_id, user_id, place)
        """
    }

    /// A job that was given up once. It is tried again when `dueIn` is over. In doubt its quiet time is over, and it
    /// holds a slot of `acme`.
    package static func deadJob(
        of user: UserKey = testUserKey, generation: Generation = 1, reason: String = "rejected", mayExist: Bool = false,
        dueIn: Duration = .seconds(3600)
    ) -> SQL {
        """
        insert into dialtone.jobs (id, tenant_id, user_id, place, generation, run_at, enqueued_at, state, in_doubt,
                                   quiet_until, attempts, crashes, deaths, reason, words, tag)
        values (gen_random_uuid(), \(user.tenant), \(user.user), 1, \(generation), now() + \(dueIn), now(), 'dead',
                \(mayExist), case when \(mayExist) then now() end, 20, 3, 1, \(reason), 'no',
                case when \(mayExist) then 'acme' end)
        """
    }

    // MARK: Credentials

    /// A credential that is `age` old. Its secrets are empty, and its blind index is zero. `closesIn` is the time for
    /// which a closing one may serve.
    package static func credential(
        _ id: ProviderID, of user: UserKey = testUserKey, generation: Generation = 1, name: String = "n",
        tag: String = "acme", status: CredentialStatus = .active, sealedUsername: [UInt8] = [], age: Duration = .zero,
        closesIn: Duration? = nil
    ) -> SQL {
        """
        insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                          sealed_username, sealed_password, username_index, created_at, close_after)
        values (\(user.tenant), \(user.user), \(generation), \(id), \(name), \(tag), \(status),
                \(Bytes(sealedUsername)), '', decode(repeat('00', 16), 'hex'), now() - \(age), now() + \(closesIn))
        """
    }

    /// A credential at the provider that bears our name and that the ledger does not own.
    package static func surplus(
        _ id: ProviderID, of user: UserKey = testUserKey, generation: Generation = 1
    ) -> SQL {
        """
        insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
        values (\(id), \(user.tenant), \(user.user), \(generation), 'n', \(user.tenant))
        """
    }

    /// A credential at the provider that bears this installation's name and belongs to no user of the ledger.
    package static func stray(_ id: ProviderID, tag: String) -> SQL {
        "insert into dialtone.surplus (provider_id, name, tag) values (\(id), 'n', \(tag))"
    }

    // MARK: The server

    /// The test's own server, as the first server that a worker has met. Nothing is claimed before it is known. All
    /// tenants are seen.
    package static let knownServer: SQL = """
        with met as (
            insert into dialtone.incarnation (system_identifier, timeline, started, change, era, database_oid, filenode)
            select system_identifier, 1, (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint, 'first', 1,
                   (select oid::bigint from pg_database where datname = current_database()),
                   pg_relation_filenode('dialtone.incarnation')::bigint
            from pg_control_system() returning era),
        tags as (update dialtone.tenant_tags set seen_era = met.era from met)
        update dialtone.tenants set seen_era = met.era from met
        """

    /// All tenants and tags are unseen, as after a change of the server.
    package static let unseen: SQL = """
        with tags as (update dialtone.tenant_tags set seen_era = null)
        update dialtone.tenants set seen_era = null
        """
}
