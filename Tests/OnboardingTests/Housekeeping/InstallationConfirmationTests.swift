// SPDX-License-Identifier: Apache-2.0
// An operator says that this database is a clone, and from then on nothing of the first installation is touched.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct InstallationConfirmationTests {
    /// The clone has an installation id of its own, so its credentials get names of their own. The former credentials
    /// stay with the first installation.
    @Test func `a clone gives up every credential and makes the next generation`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag(), Ledger.users(3))
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            try await database.admin.script(
                """
                update dialtone.users set status = 'ready';
                update dialtone.users set wanted = 'gone', status = 'revoked' where user_id = 'user-3'
                """)
            for name in ["user-1", "user-2"] {
                let user = UserKey(tenant: testTenant, user: try UserID(name))
                try await database.insert(Ledger.credential(ProviderID(rawValue: name), of: user, name: name))
            }
            let before = try #require(try await InstallationConfirmation.state(on: database.admin)).id
            try await InstallationConfirmation.confirmClone(on: database.admin)
            let after = try #require(try await InstallationConfirmation.state(on: database.admin))
            #expect(after.id != before && !after.isStopped && after.looksFirst)
            let rows = try await database.admin.query(
                """
                select (select count(*) from dialtone.credentials where status <> 'deleted'),
                       (select count(*) from dialtone.jobs where state = 'queued' and generation = 2),
                       (select count(*) from dialtone.users where status = 'pending' and generation = 2)
                """
            ).map { try $0.decode(Int64.self, Int64.self, Int64.self) }
            #expect(rows.count == 1 && rows[0] == (0, 2, 2))
        }
    }

    /// A copy of a live disk holds the leases of workers that run beside the original only.
    @Test func `a clone waits for a lease to end and for no longer`() async throws {
        try await TestDatabase.with { database in
            let worker = WorkerID(rawValue: UUID())
            try await database.insert(
                Ledger.tenant(), Ledger.user(), Ledger.job(state: .armed, epoch: 1, worker: worker, tag: "acme"))
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            await #expect(throws: InstallationError.self) {
                try await InstallationConfirmation.confirmClone(on: database.admin)
            }
            try await database.admin.script("update dialtone.jobs set lease_until = now() - interval '1 second'")
            try await InstallationConfirmation.confirmClone(on: database.admin)
            let jobs = try await database.admin.query("select 1 from dialtone.jobs where state = 'queued'")
            #expect(jobs.count == 1)
        }
    }
}
