// SPDX-License-Identifier: Apache-2.0
// The worker sweeps by itself: slowly, on one node at a time, and logs what it found.

import Foundation
import Logging
import Model
import Postgres
import Telemetry

extension OnboardingWorker {
    /// Sweeps when a sweep is due and no other node sweeps, with a pause between two calls.
    ///
    /// Cancelled here: see `Sweep.run`.
    func sweepNowAndThen() async {
        var options = SweepOptions()
        options.pace = .milliseconds(200)
        let sweep = Sweep(
            pool: self.pool, provider: self.provider.forSweep, names: self.names, lease: self.configuration.lease,
            landingTime: self.landingTimeOfCreates, options: options)
        while !Task.isCancelled {
            let wait = min(.seconds(5), self.configuration.sweepInterval / 2)
            try? await Task.sleep(for: wait * Double.random(in: 0.75..<1.25))
            do {
                guard self.identity.terms != nil, try await sweep.provider.allowsCalls() else { continue }
                let holder = UUID()
                let row = try await self.pool.query(
                    SweepLease.takeIfDue(holder, interval: self.configuration.sweepInterval, hold: Sweep.hold)
                ).first
                guard let started = try row?.decode(Int64.self) else { continue }
                let report = try await sweep.run(holder: holder, started: started)
                self.metrics.secondCredentials.add(report.remembered)
                self.tell(report)
            } catch {
                self.logger.debug("the sweep was broken off", metadata: ["error": "\(error)"])
            }
        }
    }

    private func tell(_ report: SweepReport) {
        if report.unproven > 0 || !report.isPlausible {
            self.logger.error(
                "the provider knows nothing of what the ledger has; is the key that of another organisation?",
                metadata: ["expected": "\(report.expected)", "seen": "\(report.seen)"])
        }
        let found = report.surplus + report.reopened + report.missing + report.reprovisioned + report.strays
        let isNews = found + report.revived > 0 || !report.stopped.isEmpty
        self.logger.log(
            level: report.stopped.isEmpty ? (isNews ? .notice : .debug) : .error,
            report.stopped.isEmpty ? "sweep ended" : "the sweep would change too much; run dialtone sweep --dry-run",
            metadata: [
                "listed": "\(report.listed)", "surplus": "\(report.surplus)", "missing": "\(report.missing)",
                "reprovisioned": "\(report.reprovisioned)", "strays": "\(report.strays)",
                "revived": "\(report.revived)", "stopped": "\(report.stopped.joined(separator: " "))",
            ])
    }
}
