// SPDX-License-Identifier: Apache-2.0
// Proof that a credential exists is accepted from any worker; only the job's holder moves the job.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct EvidenceTests {
    /// A credential at the provider is evidence, whoever holds the job now. Only the holder may move the job.
    @Test func `evidence from a lost lease is recorded but moves no job`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.finish([jobs[0].lateEvidence()])
            #expect(try await database.count("dialtone.credentials where status = 'active'") == 1)
            #expect(try await database.count("dialtone.jobs where state = 'armed'") == 1)
            // The holder's own create succeeds later. The first writer owns the generation.
            try await database.finish([jobs[0].evidence(id: "second")])
            #expect(try await database.count("dialtone.credentials") == 1)
            #expect(try await database.count("dialtone.surplus where provider_id = 'second'") == 1)
        }
    }

    @Test func `evidence of a closed generation becomes surplus`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script("update dialtone.users set wanted = 'gone', status = 'revoking'")
            var late = jobs[0].evidence()
            late.lease = Lease(
                job: late.lease.job, epoch: late.lease.epoch - 1, worker: late.lease.worker, state: .armed)
            try await database.finish([late])
            #expect(try await database.count("dialtone.credentials") == 0)
            #expect(try await database.count("dialtone.surplus where deleted_at is null") == 1)
        }
    }

    /// After `installation confirm --clone` a credential under the former name belongs to the former installation.
    @Test func `evidence from another installation is neither recorded nor surplus`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            var theirs = jobs[0].evidence()
            theirs.installation = UUID()
            try await database.finish([theirs])
            #expect(try await database.count("dialtone.credentials") == 0)
            #expect(try await database.count("dialtone.surplus") == 0)
        }
    }
}
