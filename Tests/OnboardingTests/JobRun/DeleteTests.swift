// SPDX-License-Identifier: Apache-2.0
// A 404 proves that a credential is gone only when the key is known to see our credentials.

import Model
import Postgres
import Queue
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct DeleteTests {
    @Test func `a 404 of a delete is believed only while another known credential exists`() async throws {
        try await JobRunBed.with { bed in
            try await bed.own("witness")
            let gone = TelnyxFailure(.notFound)
            let stranger = ScriptedProvider { $0.delete = { _ in gone } }
            let job = ClaimedJob.armed(wanted: .gone, recorded: ProviderID(rawValue: "p"))
            #expect(try await bed.run(job, on: stranger).moved?.to == .scheduled)
            // A sweep with the same key has missed every credential.
            try await bed.database.admin.script("update dialtone.credentials set missing_since = now()")
            #expect(try await bed.run(job, on: stranger).moved?.to == .scheduled)
            let owner = ScriptedProvider {
                $0.delete = { _ in gone }
                $0.there = [ProviderID(rawValue: "witness")]
            }
            guard case .ended(let ending) = try await bed.run(job, on: owner) else {
                Issue.record("the delete is done")
                return
            }
            #expect(ending.how == .deleted(ProviderID(rawValue: "p")))
        }
    }
}
