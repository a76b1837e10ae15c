// SPDX-License-Identifier: Apache-2.0
// An operator's sweep does no harm when the provider deviates from its documentation.

import Foundation
import Model
import Postgres
import ProviderLimits
import Synchronization
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SweepTests {
    /// Every tag shows the whole account. The sweep must not look for ever further shards, delete anything, or touch
    /// another tenant's credentials. `w` of beta has just been made and is not in the ledger yet.
    @Test func `a sweep changes nothing when the provider ignores the tag filter`() async throws {
        try await TestDatabase.with { database in
            let names = CredentialName(installation: UUID())
            let users = try await Self.insertUsers(database)
            let all = users.map { TelephonyCredential.shown("p-\($0.user)", named: names.name(for: $0, generation: 1)) }
            let deleted = Mutex<[ProviderID]>([])
            let provider = ScriptedProvider {
                $0.list = { _ in all }
                $0.there = Set(all.map(\.id))
                $0.delete = { id in
                    deleted.withLock { $0.append(id) }
                    return nil
                }
            }
            for tenant in [nil, users[0].tenant] {
                var options = SweepOptions()
                (options.isThorough, options.deletesStrays) = (false, tenant != nil)
                let report = try await Sweep(
                    pool: database.pool, api: provider, limits: ProviderLimits(pool: database.pool),
                    installation: names.id, lease: .seconds(30), landingTime: .seconds(40), options: options
                ).run(tenant: tenant)
                #expect(report.tags == (tenant == nil ? 4 : 2) && report.surplus == 0 && report.foreign == 0)
                #expect(report.missing == 0 && report.reopened == 0 && report.straysDeleted == 0)
            }
            let hasDeleted = deleted.withLock { !$0.isEmpty }
            #expect(!hasDeleted, "what is on its way is nobody's stray")
            let doomed = try await database.admin.query("select 1 from dialtone.surplus where doomed_at is not null")
            #expect(doomed.isEmpty)
            let shards = try await database.admin.query(
                "select string_agg(tenant_id || held, ' ' order by tenant_id) from dialtone.tenant_tags"
            ).first?.decode(String.self)
            #expect(shards == "acme1 beta2", "an inexact filter counts nothing")
            let tags = try await database.admin.query(
                "select string_agg(tag, ' ' order by tag) from dialtone.credentials"
            ).first?.decode(String.self)
            #expect(tags == "acme beta")
        }
    }

    /// Inserts the users `u` of acme and `v` and `w` of beta. A worker makes the credential of `w`.
    private static func insertUsers(_ database: TestDatabase) async throws -> [UserKey] {
        let users = try [("acme", "u"), ("beta", "v"), ("beta", "w")].map {
            UserKey(tenant: try TenantID($0.0), user: try UserID($0.1))
        }
        let (acme, beta, worker) = (users[0].tenant, users[1].tenant, WorkerID(rawValue: UUID()))
        try await database.insert(
            Ledger.tenant(acme), Ledger.tenant(beta, connection: "2"), Ledger.tag(of: acme, held: 1),
            Ledger.tag(of: beta, held: 2), Ledger.user(users[0], status: .ready),
            Ledger.user(users[1], status: .ready), Ledger.user(users[2]),
            Ledger.job(of: users[2], state: .armed, epoch: 1, worker: worker, tag: "beta"))
        for user in users.prefix(2) {
            let id = ProviderID(rawValue: "p-\(user.user)")
            try await database.insert(
                Ledger.credential(id, of: user, tag: user.tenant.rawValue, age: .seconds(3600)))
        }
        _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
        return users
    }
}
