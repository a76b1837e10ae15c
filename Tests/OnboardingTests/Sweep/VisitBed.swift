// SPDX-License-Identifier: Apache-2.0
// What the tests of visits begin with: a tenant with a tag, users whose credentials are in it, and a provider.

import Foundation
import Lifecycle
import Model
import Postgres
import ProviderLimits
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

/// The tag `acme`, seen in this era and listed just now.
struct VisitBed {
    let database: TestDatabase
    let provider = VisitProvider()
    let names = CredentialName(installation: UUID())

    static func with(_ users: Int = 0, _ work: (VisitBed) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let bed = VisitBed(database: database)
            try await database.insert(Ledger.tenant(), Ledger.tag(held: users))
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            try await bed.see()
            if users > 0 { try await bed.own(1...users) }
            try await work(bed)
        }
    }

    /// Every tag was listed whole just now, in this era.
    func see() async throws {
        try await self.database.admin.script(
            """
            update dialtone.tenant_tags set listed_at = now(), seen_era = (select era from dialtone.incarnation);
            update dialtone.tenants set seen_era = (select era from dialtone.incarnation)
            """)
    }

    // MARK: Users and their credentials

    static func user(_ number: Int, of tenant: TenantID = testTenant) throws -> UserKey {
        UserKey(tenant: tenant, user: try UserID("user-\(number)"))
    }

    /// A credential as the provider shows it, under the name of a user's generation.
    func shown(
        _ id: String, of number: Int, generation: Generation = 1, isExpired: Bool = false
    ) throws -> TelephonyCredential {
        .shown(id, named: self.names.name(for: try Self.user(number), generation: generation), isExpired: isExpired)
    }

    /// Ready users whose credentials `p-1`, `p-2`, … are an hour old, in the ledger and at the provider.
    func own(_ numbers: ClosedRange<Int>, tag: String = "acme") async throws {
        let users = try numbers.map { try Self.user($0) }
        let ids = numbers.map { "p-\($0)" }
        try await self.database.insert(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
            select \(testTenant), user_id, 'live', 'ready', now() - interval '1 hour'
            from unnest(\(users.map(\.user))) as t (user_id)
            """,
            """
            insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                              sealed_username, sealed_password, username_index, created_at)
            select \(testTenant), user_id, 1, id, name, \(tag), 'active', '', '', decode(repeat('00', 16), 'hex'),
                   now() - interval '1 hour'
            from unnest(\(users.map(\.user)), \(ids),
                        \(users.map { self.names.name(for: $0, generation: 1) })) as t (user_id, id, name)
            """)
        for (number, id) in zip(numbers, ids) { self.provider.add(try self.shown(id, of: number), to: tag) }
    }

    // MARK: Visits

    func sweep(_ change: (inout SweepOptions) -> Void = { _ in }) -> Sweep {
        var options = SweepOptions()
        options.isThorough = false
        change(&options)
        return Sweep(
            pool: self.database.pool, api: self.provider, limits: ProviderLimits(pool: self.database.pool),
            installation: self.names.id, lease: .seconds(30), landingTime: .seconds(40), options: options,
            random: { 0.5 })
    }

    /// One visit of a worker, of the tag with this shard.
    @discardableResult
    func visit(
        _ shard: Int32 = 1, isAsked: Bool = false, _ change: (inout SweepOptions) -> Void = { _ in }
    ) async throws -> (outcome: VisitOutcome, report: SweepReport) {
        let row = try await self.database.pool.query(DueTag.one(testTenant, shard, interval: .seconds(3600))).first
        var report = SweepReport()
        let result = try await self.sweep(change).visit(
            try DueTag.read(#require(row)), isAsked: isAsked, &report)
        return (result.outcome, report)
    }

    /// Asks for the first missing credential that is due, as a worker does.
    func askForMissing() async throws -> MissingCredentials.Outcome {
        let sweep = self.sweep()
        let missing = MissingCredentials(
            pool: sweep.pool, provider: sweep.provider, witness: Witness(pool: sweep.pool, provider: sweep.provider),
            settle: sweep.landingTime)
        var place = MissingCredentials.Place()
        return try await missing.askNext(after: &place)
    }

    // MARK: What stands in the ledger

    /// The first column of each row, as text.
    func rows(_ statement: SQL) async throws -> [String] {
        try await self.database.admin.query(statement).map { try $0.decode(String.self) }
    }

    /// Seconds until the next visit of the tag.
    func pause(_ shard: Int32 = 1) async throws -> Double {
        let row = try await self.database.admin.query(
            """
            select extract(epoch from due_at - clock_timestamp())::float8 from dialtone.tenant_tags
            where tenant_id = \(testTenant) and shard = \(shard)
            """
        ).first
        var columns = try #require(row).columns
        return try columns.next()
    }

    func isTenantSeen() async throws -> Bool {
        try await !self.rows(
            "select tenant_id from dialtone.tenants where seen_era = (select era from dialtone.incarnation)"
        ).isEmpty
    }

    /// A new era, as after a change of the server: every tag is due and unseen.
    func changeEra() async throws {
        try await self.database.admin.script(
            "update dialtone.incarnation set era = era + 1; update dialtone.tenant_tags set due_at = now()")
    }
}

extension VisitOutcome {
    /// What a whole list has said; nil when there was none.
    var list: ListedTag? { if case .listed(let tag) = self { tag } else { nil } }
}
