// SPDX-License-Identifier: Apache-2.0
// A ledger of a million users in one of a thousand tenants, filled by SQL, for the queries to be asked of.

import Composition
import Foundation
import Model
import Postgres
import Vault

struct QueryGround {
    let stage: Stage
    /// Users of `acme`; the other tenants have a hundred each.
    let users: Int

    static let tenants = 1000
    private static let others = 100
    /// Users of `acme` who failed, and who wait.
    static let failed = 1000
    static let waiting = 1000
    /// People whose events a page asks for one by one, at most. Of more people it looks through the newest events.
    static let people = 300

    /// An id that begins with the time of its arrival, as intake makes them.
    private static let eventID = """
        (lpad(to_hex((extract(epoch from received_at) * 1000)::bigint), 12, '0') || '7'
         || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
        """

    /// Fills the ledger. The user names are sealed as the worker does it, because an export opens each of them.
    func fill() async throws {
        let database = try await self.stage.connect()
        try await database.script(
            """
            set synchronous_commit = off;
            insert into dialtone.tenants (tenant_id, connection_id)
            select 't-' || number, '1000000001' from generate_series(2, \(Self.tenants)) number;
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, held)
            select tenant_id, 1, tenant_id, 0, \(Self.others) from dialtone.tenants where tenant_id <> 'acme';
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, held, listed_at)
            select 'acme', shard, 'acme.' || shard, shard, 980, now()
            from generate_series(2, \(self.users / 980 + 1)) shard;
            """)
        try await self.addUsers(database)
        try await self.addCredentials(database)
        // As housekeeping leaves them: two days by the minute, and the 88 days before by the hour.
        try await database.script(
            """
            insert into dialtone.tenant_minutes (tenant_id, minutes, bucket, accepted, ready)
            select tenant_id, 1, date_trunc('minute', now()) - number * interval '1 minute', 10, 10
            from dialtone.tenants, generate_series(0, 2879) number where tenant_id in ('acme', 't-2', 't-3');
            insert into dialtone.tenant_minutes (tenant_id, minutes, bucket, accepted, ready)
            select tenant_id, 60, date_trunc('hour', now(), 'UTC') - number * interval '1 hour', 600, 600
            from dialtone.tenants, generate_series(48, 2159) number where tenant_id in ('acme', 't-2', 't-3')
            """)
        // On its own: several statements in one message are one transaction, and VACUUM runs in none.
        try await database.script("vacuum analyze")
        await database.close()
    }

    /// Adds people of `acme` who wait for a membership, in place of those who waited before. Each was told of ten times.
    /// The events of the first ones are the newest of the tenant, so a page of many people walks over them in vain.
    func addPeople(_ numbers: ClosedRange<Int>) async throws {
        let database = try await self.stage.connect()
        try await database.script(
            """
            update dialtone.people set waits_until = now() - interval '1 day';
            insert into dialtone.people (source_id, external_user, waits_until)
            select source_id, 'person-' || number, now() + interval '9 days'
            from dialtone.sources, generate_series(\(numbers.lowerBound), \(numbers.upperBound)) number;
            insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                         outcome, detail)
            select received_at, \(Self.eventID), source_id, 'msg_' || user_id || '_' || turn, tenant_id, user_id,
                   'live', 'accepted', 'waits'
            from (select source_id, tenant_id, 'person-' || number as user_id, turn,
                         now() - (number * 10 + turn) * interval '1 millisecond' as received_at
                  from dialtone.sources, generate_series(\(numbers.lowerBound), \(numbers.upperBound)) number,
                       generate_series(1, 10) turn) told
            """)
        // On their own, as above.
        try await database.script("vacuum analyze dialtone.people, dialtone.events")
        await database.close()
    }

    private func addUsers(_ database: PostgresConnection) async throws {
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, status, received_at, ready_at, told_by)
            select tenant_id, 'user-' || number, 'live', 'ready', now() - number * interval '1 second', now(), null
            from dialtone.tenants, generate_series(1, \(Self.others)) number where tenant_id <> 'acme';
            insert into dialtone.users (tenant_id, user_id, wanted, status, received_at, ready_at, told_by)
            select 'acme', 'user-' || number, 'live',
                   case when number % 1000 = 0 then 'failed' when number % 1000 = 1 then 'pending' else 'ready' end,
                   now() - number * interval '1 second', now(), source_id
            from dialtone.sources, generate_series(1, \(self.users)) number;
            insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                         outcome)
            select received_at, \(Self.eventID), coalesce(told_by, gen_random_uuid()), 'msg_' || user_id,
                   tenant_id, user_id, 'live', 'accepted'
            from dialtone.users;
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, deaths,
                                       reason, words)
            select gen_random_uuid(), tenant_id, user_id, 1, row_number() over (), now() + interval '1 hour',
                   received_at, case status when 'failed' then 'dead' else 'queued' end,
                   case status when 'failed' then 1 end, case status when 'failed' then 'rejected' end,
                   case status when 'failed' then '10017 words ' || (right(user_id, 4)::int / 1000) end
            from dialtone.users where status in ('failed', 'pending')
            """)
    }

    private func addCredentials(_ database: PostgresConnection) async throws {
        let settings = try await Settings.read(flags: self.stage.environment)
        let parts = try SharedParts(settings, connections: 2)
        try await Administration.running(parts.pool) { _ in
            let sealer = try await parts.vault.sealer(for: "acme")
            let tenant = try TenantID("acme")
            for start in stride(from: 1, through: self.users, by: 10_000) {
                var (ids, users, sealed, index): ([String], [String], [Bytes], [Bytes]) = ([], [], [], [])
                for number in start..<min(start + 10_000, self.users + 1) where number % 1000 > 1 {
                    let user = UserKey(tenant: tenant, user: try UserID("user-\(number)"))
                    let id = ProviderID(rawValue: "cred-\(number)")
                    let name = "gencred\(number)"
                    ids.append(id.rawValue)
                    users.append(user.user.rawValue)
                    sealed.append(
                        Bytes(try sealer.seal(name, .credential("sealed_username", of: user, generation: 1, id))))
                    index.append(Bytes(sealer.blindIndex(name, column: "sip_username")))
                }
                _ = try await database.query(
                    """
                    insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                      sealed_username, sealed_password, username_index)
                    select 'acme', new.user_id, 1, new.id, 'dt-' || new.id,
                           'acme.' || (2 + (\(start) + new.place) / 980), 'active', new.sealed, new.sealed, new.index
                    from unnest(\(ids), \(users), \(sealed), \(index)) with ordinality
                         as new (id, user_id, sealed, index, place)
                    """)
            }
        }
    }
}
