// SPDX-License-Identifier: Apache-2.0
// A large installation that has run for long: its ledger is written by SQL, and the provider is filled alike.

import Foundation
import Model
import Onboarding
import Postgres

/// Users of many tenants, each with a credential at the simulator. All tags were seen in the ledger's present era. Their
/// next visits and their last lists lie as if visits had gone on for weeks.
struct ScaleGround {
    /// Named `t1`, `t2`, … Each has as many users.
    var tenants: Int
    var usersEach: Int

    static let capacity = 980
    static let connection = "1000000001"

    var users: Int { self.tenants * self.usersEach }
    private var shards: Int { (self.usersEach + Self.capacity - 1) / Self.capacity }

    /// Tags in the order in which credentials are numbered.
    private var tags: [(tag: String, credentials: Int)] {
        (1...self.tenants).flatMap { tenant in
            (1...self.shards).map { shard in
                let held = min(Self.capacity, self.usersEach - (shard - 1) * Self.capacity)
                return (shard == 1 ? "t\(tenant)" : "t\(tenant).\(shard)", held)
            }
        }
    }

    /// Fills the ledger and the account. The ledger has met its server before, so that it has an era.
    func fill(_ stage: Stage, _ control: SimulatorControl) async throws {
        try await Self.meetServer(stage)
        let database = try await stage.connect()
        let row = try await database.query("select id from dialtone.installation").first
        guard let installation = try row?.decode(UUID.self) else { throw BenchError.refused("the installation's id") }
        let owner = UserKey(tenant: try TenantID("t1"), user: try UserID("1"))
        let prefix = CredentialName(installation: installation).name(for: owner, generation: 1).prefix(12)
        try await control.seed(connection: Self.connection, namePrefix: String(prefix), tags: self.tags)
        try await database.script(self.tenantsOfThisEra)
        try await database.script(self.usersAndCredentials(prefix: String(prefix)))
        // Tables that have been in use look like this. Nothing is left to be flushed while we measure.
        try await database.script("vacuum (analyze) dialtone.users, dialtone.credentials")
        try await database.script("checkpoint")
        // These hold due times, and the rest may have taken hours of a hurried clock.
        try await database.script(self.tagsAndWalk)
        await database.close()
    }

    /// Lets a worker meet the server: until then no statement of a worker does anything.
    static func meetServer(_ stage: Stage) async throws {
        let worker = try await stage.start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        let database = try await stage.connect()
        try await Waiting.until("select 1 from dialtone.incarnation", on: database)
        await database.close()
    }

    private var tenantsOfThisEra: String {
        """
        insert into dialtone.tenants (tenant_id, connection_id, seen_era)
        select 't' || number, '\(Self.connection)', incarnation.era
        from generate_series(1, \(self.tenants)) number cross join dialtone.incarnation
        """
    }

    /// The walk stands at its first page. A tag's next visit comes at any time of a period, and its last list was at any
    /// time of a week, or of a period if that is longer.
    private var tagsAndWalk: String {
        let period = "greatest(3600, 10 * \(self.tenants * self.shards))"
        return """
            delete from dialtone.tenant_tags;
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, held, seen_era, due_at, listed_at)
            select 't' || tenant, shard, 't' || tenant || case when shard = 1 then '' else '.' || shard end, shard - 1,
                   least(\(Self.capacity), \(self.usersEach) - (shard - 1) * \(Self.capacity)), incarnation.era,
                   clock_timestamp() + random() * \(period) * interval '1 second',
                   clock_timestamp() - random() * greatest(604800, \(period)) * interval '1 second'
            from generate_series(1, \(self.tenants)) tenant cross join generate_series(1, \(self.shards)) shard
            cross join dialtone.incarnation;
            update dialtone.account_walk
            set pages = \((self.users + 249) / 250), started_at = clock_timestamp(), due_at = clock_timestamp();
            """
    }

    private func usersAndCredentials(prefix: String) -> String {
        """
        insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at, ready_at)
        select 't' || tenant, 'user-' || number, 'live', 1, 'ready', now(), now()
        from generate_series(1, \(self.tenants)) tenant cross join generate_series(1, \(self.usersEach)) number;
        insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                          sealed_username, sealed_password, username_index, created_at)
        select 't' || tenant, 'user-' || number, 1, '00000000-0000-4000-8000-' || lpad(serial::text, 12, '0'),
               '\(prefix)' || lpad(serial::text, 52, '0'),
               't' || tenant || case when number <= \(Self.capacity) then ''
                                     else '.' || (number + \(Self.capacity - 1)) / \(Self.capacity) end,
               'active', '\\x00', '\\x00', decode(repeat('00', 16), 'hex'), now() - interval '1 year'
        from generate_series(1, \(self.tenants)) tenant cross join generate_series(1, \(self.usersEach)) number
        cross join lateral (select (tenant - 1) * \(self.usersEach) + number as serial) place;
        """
    }
}
