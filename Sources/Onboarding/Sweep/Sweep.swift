// SPDX-License-Identifier: Apache-2.0
// The sweep: every tag ever used is listed and held against the ledger; what cannot be prevented is found here and put
// right.

package import Foundation
import Logging
package import Model
package import Postgres
package import ProviderLimits
import Queue
package import Telnyx

/// One run over all tenants, or one of them.
package struct Sweep: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    let names: CredentialName
    /// After which a list shows what was made, and a create that was sent has landed.
    let landingTime: Duration
    /// How long a worker's lease is.
    let lease: Duration
    let options: SweepOptions

    package init(
        pool: PostgresPool, api: any TelephonyCredentialsAPI, limits: ProviderLimits, installation: UUID,
        lease: Duration, landingTime: Duration, options: SweepOptions
    ) {
        self.init(
            pool: pool, provider: GuardedProvider(api: api, limits: limits, isWorkers: false),
            names: CredentialName(installation: installation),
            lease: lease, landingTime: landingTime, options: options)
    }

    init(
        pool: PostgresPool, provider: GuardedProvider, names: CredentialName, lease: Duration, landingTime: Duration,
        options: SweepOptions
    ) {
        self.pool = pool
        self.provider = provider
        self.names = names
        self.lease = lease
        self.landingTime = landingTime
        self.options = options
    }

    /// Runs under the lease that `holder` has taken; gives it back at the end, however that comes.
    ///
    /// Cancelled here: the next sweep begins from the start. Every correction stands by itself.
    func run(holder: UUID, started: Int64) async throws -> SweepReport {
        do {
            return try await self.sweepAll(holder: holder, started: started)
        } catch {
            // Unstructured, so that a cancelled sweep gives its lease back too. Failed: it runs out by itself.
            await Task { _ = try? await self.pool.query(SweepLease.abandon(holder)) }
                .value
            throw error
        }
    }

    private func sweepAll(holder: UUID, started: Int64) async throws -> SweepReport {
        var report = SweepReport()
        report.isDryRun = self.options.isDryRun
        let tenants = try await self.pool.query(SweepStatements.tags(of: self.options.tenant)).map { row in
            var columns = row.columns
            let tenant: TenantID = try columns.next()
            return (tenant, try columns.next(Int32.self))
        }
        let isTrusted = try await self.pool.query("select 1 from dialtone.incarnation where looks_first").isEmpty
        var isOurs: Bool?
        var seen: [(tenant: TenantID, last: Int32, began: Date)] = []
        for (tenant, last) in tenants {
            let began = try await self.extend(holder)
            do {
                if let last = try await self.sweep(tenant, last: last, isTrusted, holder: holder, &report) {
                    seen.append((tenant, last, began))
                }
            } catch let error as PostgresError where error.code == .server && !error.isUnavailable {
                // One tenant's trouble is its own.
                report.failedLists += 1
            }
            if !seen.isEmpty, !self.options.isDryRun, try await self.isAccountOurs(&isOurs, report, holder) {
                for (tenant, last, began) in seen {
                    let statements = SweepLease.saw(tenant, last: last, began: began, started: started)
                    let answers = try await self.pool.withConnection { try await $0.pipeline([statements]) }
                    for answer in answers.joined() { _ = try answer.get() }
                }
                seen = []
            }
        }
        if report.failedLists == 0 {
            let isProven = try await self.isAccountOurs(&isOurs, report, holder)
            // What counts as missing has had its witness, or an operator's word.
            report.isPlausible =
                isProven || self.options.believesAbsence || report.missing + report.reprovisioned > 0
            report.isFull = isProven && self.options.tenant == nil
        }
        if !self.options.isDryRun {
            let sawAll = report.isFull && report.stopped.isEmpty
            _ = try await self.pool.query(Strays.forgetGone(sawAll: sawAll))
        }
        _ = try await self.pool.query(SweepLease.end(holder, started: started))
        return report
    }

    /// A key of another organisation lists nothing, and that must not pass for having seen: something of the ledger's
    /// was seen there, or answers by its id, or the ledger has nothing that should.
    private func isAccountOurs(
        _ told: inout Bool?, _ report: SweepReport, _ holder: UUID
    ) async throws -> Bool {
        if report.seen > 0 { return true }
        if let told { return told }
        let witness = Witness(pool: self.pool, provider: self.provider)
        let testimony = try await witness.testimony(without: nil) { try await self.extend(holder) }
        told = testimony != .unproven
        return testimony != .unproven
    }

    /// Answers the last shard listed, if every tag of the tenant was.
    private func sweep(
        _ tenant: TenantID, last: Int32, _ isTrusted: Bool, holder: UUID, _ report: inout SweepReport
    ) async throws -> Int32? {
        var isWhole = true
        // Shards beyond the last one known: opened after the backup this ledger was restored from.
        var (shard, empties) = (Int32(1), 0)
        var before: Set<ProviderID> = []
        while shard <= last || empties < 2 {
            try await self.extend(holder)
            let tag = SweptTag(
                sweep: self, holder: holder, tenant: tenant, shard: shard, isKnown: shard <= last, isTrusted: isTrusted)
            let count = try await tag.compare(&report, before: &before)
            if count == nil { isWhole = false }
            if shard > last { empties = count ?? 0 == 0 ? empties + 1 : 0 }
            shard += 1
            try await self.breathe()
        }
        let listed = isWhole ? shard - 1 : nil
        guard !self.options.isDryRun else { return listed }
        var user = ""
        while true {
            try await self.extend(holder)
            let revived = try await self.pool.query(
                SweepCorrections.reviveFailed(of: tenant, after: user, limit: 1000)
            ).first
            if let count = try revived?.decode(Int64.self) { report.revived += Int(count) }
            let row = try await self.pool.query(
                SweepCorrections.enqueueForgotten(of: tenant, after: user, limit: 1000)
            ).first
            guard let (count, end) = try row?.decode(Int64.self, String?.self), let end else { return listed }
            report.enqueued += Int(count)
            user = end
            try await self.breathe()
        }
    }

    /// Goes on holding the sweep's lease; answers the time, by the database's clock.
    @discardableResult
    func extend(_ holder: UUID) async throws -> Date {
        guard let row = try await self.pool.query(SweepLease.extend(holder, hold: Self.hold)).first else {
            throw SweepError.leaseLost
        }
        return try row.decode(Date.self)
    }

    func breathe() async throws {
        if self.options.pace > .zero { try await Task.sleep(for: self.options.pace) }
    }

    /// How long a sweep may be silent until anybody may begin another: one list of a tag, or one look by id.
    static let hold: Duration = .seconds(40)
}

package enum SweepError: Error, CustomStringConvertible {
    case running
    case leaseLost
    case notTrusted

    package var description: String {
        switch self {
        case .running: "another sweep is running; try again when it has ended"
        case .leaseLost: "another sweep has taken over"
        case .notTrusted:
            "the database server has changed, and what is unknown here may be somebody's: nothing is deleted before a full "
                + "sweep has ended and, after a restore, dialtone installation confirm was run"
        }
    }
}

extension Sweep {
    // MARK: To its end

    /// A run that somebody waits for: a second look at what is missing after its time, and the surplus deleted.
    /// `tell` hears what is waited for.
    package func runToTheEnd(tell: (String) -> Void = { _ in }) async throws -> SweepReport {
        var report = try await self.once()
        guard !self.options.isDryRun, self.options.isThorough else { return report }
        if report.missing > 0 {
            tell("\(report.missing) missing; asking a second time in \(self.landingTime.components.seconds) s")
            try await Task.sleep(for: self.landingTime + .milliseconds(500))
            let second = try await self.once()
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

    /// How long a sweep that somebody asked for waits for one that runs.
    private static let patience: Duration = .seconds(120)

    private func once() async throws -> SweepReport {
        // No worker may have run since the server has changed.
        if let row = try await self.pool.query(Incarnation.current).first, try !Incarnation.read(row).isKnown {
            _ = try await self.pool.query(Incarnation.adopt(lease: self.lease, landingTime: self.landingTime))
        }
        if self.options.deletesStrays {
            let doubts = try await self.pool.query(
                "select 1 from dialtone.incarnation where looks_first or looks_twice or is_stopped")
            guard doubts.isEmpty else { throw SweepError.notTrusted }
        }
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
            // A worker sweeps just now: this one comes after it.
            guard ContinuousClock.now < deadline else { throw SweepError.running }
            try await Task.sleep(for: .milliseconds(250))
        }
    }
}
