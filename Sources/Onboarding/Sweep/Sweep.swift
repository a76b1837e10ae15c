// SPDX-License-Identifier: Apache-2.0
// The sweep: lists every tag ever used, compares it with the ledger, and repairs what differs.
//
// Some differences between ledger and provider cannot be prevented: a create that lands after everybody gave it up, a
// credential that somebody deletes at the provider, a commit that is lost with a server. The sweep finds them. It lists
// the tags of one tenant after another (`SweptTag`), decides for each difference what it means, and repairs the ledger
// (`SweepCorrections`). A run that would take too much away in one tag takes nothing away there. After a change of the
// server the sweep also gives the tenants their trust back (`Incarnation`).

package import Foundation
package import Model
package import Postgres
package import ProviderLimits
package import Telnyx

/// One run over all tenants, or over one of them.
package struct Sweep: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider
    let names: CredentialName
    /// How long it takes until a list shows a new credential, and until a create that was sent has landed.
    let landingTime: Duration
    /// How long a worker's lease is.
    let lease: Duration
    let options: SweepOptions

    package init(
        pool: PostgresPool, api: any TelephonyCredentialsAPI, limits: ProviderLimits, installation: UUID,
        lease: Duration, landingTime: Duration, options: SweepOptions
    ) {
        self.init(
            pool: pool, provider: GuardedProvider(api: api, limits: limits, isWorkers: false, kind: .sweep),
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

    /// Runs under the sweep's lease, which `holder` has taken, and gives it back at the end, also after a failure.
    /// `started` is the start of the server that gave the lease.
    ///
    /// Cancelled here: the next sweep begins from the start. Every correction stands by itself.
    func run(holder: UUID, started: Int64) async throws -> SweepReport {
        do {
            return try await self.sweepAll(holder: holder, started: started)
        } catch {
            // Unstructured, so that a cancelled sweep gives its lease back too. When that fails, the lease runs out.
            await Task { _ = try? await self.pool.query(SweepLease.abandon(holder)) }
                .value
            throw error
        }
    }

    /// A tenant whose every tag was listed.
    private typealias SeenTenant = (tenant: TenantID, last: Int32, began: Date)

    private func sweepAll(holder: UUID, started: Int64) async throws -> SweepReport {
        var report = SweepReport()
        report.isDryRun = self.options.isDryRun
        let tenants = try await self.tenants()
        let isTrusted = try await self.pool.query("select 1 from dialtone.incarnation where looks_first").isEmpty
        var isOurs: Bool?
        var seen: [SeenTenant] = []
        for (tenant, last) in tenants {
            let began = try await self.extend(holder)
            do {
                if let last = try await self.sweep(tenant, last: last, isTrusted, holder: holder, &report) {
                    seen.append((tenant, last, began))
                }
            } catch let error as PostgresError where error.code == .server && !error.isUnavailable {
                // The trouble of one tenant does not keep the others from being swept.
                report.failedLists += 1
            }
            if !seen.isEmpty, !self.options.isDryRun, try await self.isAccountOurs(&isOurs, report, holder) {
                try await self.note(seen, started: started)
                seen = []
            }
        }
        try await self.conclude(&report, &isOurs, holder)
        _ = try await self.pool.query(SweepLease.end(holder, started: started))
        return report
    }

    private func tenants() async throws -> [(TenantID, Int32)] {
        try await self.pool.query(SweepStatements.tags(of: self.options.tenant)).map { row in
            var columns = row.columns
            let tenant: TenantID = try columns.next()
            return (tenant, try columns.next(Int32.self))
        }
    }

    private func note(_ seen: [SeenTenant], started: Int64) async throws {
        for (tenant, last, began) in seen {
            let statements = SweepLease.saw(tenant, last: last, began: began, started: started)
            let answers = try await self.pool.withConnection { try await $0.pipeline([statements]) }
            for answer in answers.joined() { _ = try answer.get() }
        }
    }

    /// Decides what the whole run has proven, and forgets strays that are gone.
    private func conclude(_ report: inout SweepReport, _ isOurs: inout Bool?, _ holder: UUID) async throws {
        if report.failedLists == 0 {
            let isProven = try await self.isAccountOurs(&isOurs, report, holder)
            // A credential counts as missing only after a witness or an operator has spoken for the account.
            report.isPlausible =
                isProven || self.options.believesAbsence || report.missing + report.reprovisioned > 0
            report.isFull = isProven && self.options.tenant == nil
        }
        if !self.options.isDryRun {
            let sawAll = report.isFull && report.stopped.isEmpty
            _ = try await self.pool.query(Strays.forgetGone(sawAll: sawAll))
        }
    }

    /// A key of another organisation sees an empty account, and an empty list must not count as a sweep.
    ///
    /// Returns true when this run saw a credential of the ledger, when one answers by id, or when the ledger has none.
    /// `known` keeps the answer, so that a run asks once.
    private func isAccountOurs(
        _ known: inout Bool?, _ report: SweepReport, _ holder: UUID
    ) async throws -> Bool {
        if report.seen > 0 { return true }
        if let known { return known }
        let witness = Witness(pool: self.pool, provider: self.provider)
        let testimony = try await witness.testimony(without: nil) { try await self.extend(holder) }
        known = testimony != .unproven
        return testimony != .unproven
    }

    /// Goes on holding the sweep's lease, and returns the time by the database's clock. Throws
    /// `SweepError.leaseLost` when another run holds it.
    @discardableResult
    func extend(_ holder: UUID) async throws -> Date {
        guard let row = try await self.pool.query(SweepLease.extend(holder, hold: Self.hold)).first else {
            throw SweepError.leaseLost
        }
        return try row.decode(Date.self)
    }

    /// Pauses between two calls, so that the provider's budget is left to others.
    func breathe() async throws {
        if self.options.pace > .zero { try await Task.sleep(for: self.options.pace) }
    }

    /// How long the sweep's lease holds: enough for one list of a tag, or one look by id. A sweep that is silent for
    /// longer may be replaced by another.
    static let hold: Duration = .seconds(40)
}
