// SPDX-License-Identifier: Apache-2.0
// While deletes are stopped no revoke is carried out, so readiness tells it for as long as that lasts.

import Foundation
import Postgres
import Telemetry
import TestSupport
import Testing

@testable import Onboarding

@Suite struct StoppedDeletesTests {
    @Test func `readiness tells that deletes are stopped until an operator has confirmed`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.knownServer)
            let pulse = WorkerPulse()
            let worker = try WorkerBed.worker(
                on: .willing(), database.pool, installation: UUID(),
                metrics: Measurements(version: "", worker: pulse))
            var last: ContinuousClock.Instant?
            for isStopped in [true, false] {
                _ = try await database.admin.query("update dialtone.incarnation set is_stopped = \(isStopped)")
                try await worker.tellOfStoppedDeletes(last: &last, on: database.admin)
                #expect((pulse.stoppedDeletes != nil) == isStopped && (last != nil) == isStopped)
            }
        }
    }
}
