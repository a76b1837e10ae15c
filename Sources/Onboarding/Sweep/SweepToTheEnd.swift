// SPDX-License-Identifier: Apache-2.0
// The sweep that an operator waits for: it looks a second time at what is missing, and deletes the surplus it found.

import Foundation
package import Model
import Postgres

extension Sweep {
    /// Runs a sweep to its end. A thorough run looks a second time at what is missing, one landing time later, and then
    /// deletes surplus until none is due. `identity` is that of the workers. `tell` gets a line before a long wait.
    package func runToTheEnd(
        by identity: ServerIdentity = .system, tell: (String) -> Void = { _ in }
    ) async throws -> SweepReport {
        var report = try await self.once(by: identity)
        guard !self.options.isDryRun, self.options.isThorough else { return report }
        if report.missing > 0 {
            tell("\(report.missing) missing; asking a second time in \(self.landingTime.components.seconds) s")
            try await Task.sleep(for: self.landingTime + .milliseconds(500))
            let second = try await self.once(by: identity)
            report.missing = second.missing
            report.reprovisioned += second.reprovisioned
            report.unproven = second.unproven
            report.isFull = report.isFull && second.isFull
            report.isPlausible = report.isPlausible && second.isPlausible
        }
        let deletion = SurplusDeletion(pool: self.pool, provider: self.provider)
        while true {
            let (tried, gone) = try await deletion.run(limit: 16)
            report.surplusDeleted += gone
            if tried < 16 { return report }
        }
    }

    /// How long a sweep that an operator has asked for waits for a running one.
    private static let patience: Duration = .seconds(120)

    private func once(by identity: ServerIdentity) async throws -> SweepReport {
        // Perhaps no worker has run since the server changed.
        if let row = try await self.pool.query(Incarnation.current).first, try !Incarnation.read(row).isKnown {
            _ = try await self.pool.query(
                Incarnation.adopt(by: identity, lease: self.lease, landingTime: self.landingTime))
        }
        if self.options.deletesStrays {
            let doubts = try await self.pool.query(
                "select 1 from dialtone.incarnation where looks_first or looks_twice or is_stopped")
            guard doubts.isEmpty else { throw SweepError.notTrusted }
        }
        return try await self.runUnderLease()
    }

    private func runUnderLease() async throws -> SweepReport {
        let holder = UUID()
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let row = try await self.pool.query(
                SweepLease.take(
                    holder, hold: Self.hold, counts: !self.options.isDryRun && self.options.tenant == nil)
            ).first
            if let started = try row?.decode(Int64.self) {
                return try await self.run(holder: holder, started: started)
            }
            // A worker is sweeping, or another operator; this run comes after that sweep.
            guard ContinuousClock.now < deadline else { throw SweepError.running }
            try await Task.sleep(for: .milliseconds(250))
        }
    }
}
