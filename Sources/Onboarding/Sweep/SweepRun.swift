// SPDX-License-Identifier: Apache-2.0
// The sweep that an operator asks for: it lists all tags now, looks a second time at what is missing, and deletes.

import Foundation
package import Model
import Postgres

extension Sweep {
    /// Returns what a run over these tags costs. It asks the ledger only. Nil: all tenants.
    package func estimate(tenant: TenantID? = nil) async throws -> SweepEstimate {
        // One page for 250 credentials, at least one a tag, and one for the shard after a tenant's last.
        let row = try await self.pool.query(
            """
            select count(tag.tag), coalesce(sum(greatest(1, (tag.held + 249) / 250)), 0)::bigint
                   + count(distinct tenants.tenant_id)
            from dialtone.tenants left join dialtone.tenant_tags tag using (tenant_id)
            where \(tenant)::text is null or tenants.tenant_id = \(tenant)
            """
        ).first
        guard let (tags, calls) = try row?.decode(Int64.self, Int64.self) else { return SweepEstimate() }
        // A call takes a fifth of a second or the pace between two calls, and rarely more.
        return SweepEstimate(
            tags: Int(tags), calls: Int(calls), time: max(self.options.pace, .milliseconds(200)) * Int(calls))
    }

    /// Lists the tags of one tenant, or of all, and waits for nobody. A thorough run looks a second time at what is
    /// missing, one landing time later. Then it deletes surplus until none is due, and what it has found is gone.
    /// `identity` is that of the workers.
    ///
    /// Cancelled here: every correction stands by itself, and the visits of workers do the rest.
    package func run(
        tenant: TenantID? = nil, by identity: ServerIdentity = .system
    ) async throws -> SweepReport {
        try await self.meetServer(identity)
        var report = SweepReport()
        report.isDryRun = self.options.isDryRun
        var round = Round()
        try await self.visit(try await self.tags(of: tenant), &round, &report)
        let owned = try await StrayOwners(sweep: self).settle(
            round.strays, isEverywhere: self.options.deletesStrays, &report)
        let strays = owned.strays
        report.strays = strays.count
        report.strayNames = strays.prefix(100).map(\.name)
        try await self.conclude(isOfAll: tenant == nil, &report)
        guard !self.options.isDryRun else { return report }
        report.enqueued = try await self.queueForgottenUsers(of: tenant)
        let doomed = try await self.doom(strays)
        guard self.options.isThorough else { return report }
        try await self.askAgain(round, &report)
        try await self.delete(round.surplus + owned.surplus, doomed, of: tenant, &report)
        return report
    }

    /// What the visits of a run have found besides their report.
    private struct Round {
        var strays: [Stray] = []
        var missing: [MissingCredential] = []
        var surplus: [ProviderID] = []
    }

    private struct ShardKey: Hashable {
        var tenant: TenantID
        var shard: Int32
    }

    // MARK: Before

    /// Perhaps no worker has run since the server changed.
    private func meetServer(_ identity: ServerIdentity) async throws {
        if let row = try await self.pool.query(Incarnation.current).first, try !Incarnation.read(row).isKnown {
            _ = try await self.pool.query(
                Incarnation.adopt(by: identity, lease: self.lease, landingTime: self.landingTime))
        }
        guard self.options.deletesStrays, !self.options.isDryRun else { return }
        let doubts = try await self.pool.query(
            """
            select 1 from dialtone.incarnation i
            -- A tag that shows new strays is not seen either, but it was listed. Reads all tags.
            where i.is_stopped or i.has_lost and exists (
                select 1 from dialtone.tenants left join dialtone.tenant_tags tag using (tenant_id)
                where tag.seen_era is distinct from i.era
                  and coalesce(tag.listed_at < greatest(i.changed_at, i.quiet_until), true))
            """)
        guard doubts.isEmpty else { throw SweepError.notTrusted }
    }

    private func tags(of tenant: TenantID?) async throws -> [ShardKey] {
        if !self.options.isDryRun { _ = try await self.pool.query(DueTag.first(of: tenant)) }
        return try await self.pool.query(DueTag.all(of: tenant)).map { row in
            var columns = row.columns
            return ShardKey(tenant: try columns.next(), shard: try columns.next())
        }
    }

    // MARK: Visits

    private func visit(_ tags: [ShardKey], _ round: inout Round, _ report: inout SweepReport) async throws {
        for key in tags {
            let row = try await self.pool.query(DueTag.one(key.tenant, key.shard, interval: self.interval)).first
            var next = try row.map(DueTag.read)
            while let tag = next {
                next = nil
                do {
                    let result = try await self.visit(tag, isAsked: true, &report)
                    round.strays += result.strays
                    report.remembered += result.remembered
                    round.missing += result.missing
                    round.surplus += result.surplus
                    if result.hasNextShard { next = try await self.shard(after: tag) }
                } catch let error as PostgresError where error.code == .server && !error.isUnavailable {
                    // The trouble of one tag does not keep the others from being visited.
                    report.failedLists += 1
                    report.failure = "\(error)"
                }
            }
        }
    }

    /// A dry run has not written the shard that it has found.
    private func shard(after tag: DueTag) async throws -> DueTag? {
        guard !self.options.isDryRun else { return tag.next }
        let next = DueTag.one(tag.tenant, tag.shard + 1, interval: self.interval)
        return try await self.pool.query(next).first.map(DueTag.read)
    }

    /// Asks a second time for what is missing. A worker may have been first.
    ///
    /// Cancelled here: the workers ask.
    private func askAgain(_ first: Round, _ report: inout SweepReport) async throws {
        guard !first.missing.isEmpty else { return }
        self.tell("\(report.missing) missing; asking a second time in \(self.landingTime.components.seconds) s")
        try await self.time.sleep(self.landingTime + .milliseconds(500))
        let missing = MissingCredentials(
            pool: self.pool, provider: self.provider, witness: Witness(pool: self.pool, provider: self.provider),
            settle: self.landingTime, believesAbsence: self.options.believesAbsence)
        var unproven = 0
        report.missing = 0
        for one in first.missing {
            if self.options.pace > .zero { try await Task.sleep(for: self.options.pace) }
            switch try await missing.decide(one) {
            case .replaced: report.reprovisioned += 1
            case .found: report.seen += 1
            case .unproven: (unproven, report.missing) = (unproven + 1, report.missing + 1)
            case .failed, .nothingDue: report.missing += 1
            }
        }
        report.unproven = max(report.unproven, unproven)
        try await self.conclude(isOfAll: report.isFull, &report)
    }

    /// Decides what the whole run has proven.
    ///
    /// A key of another organisation sees an empty account, so a run must have seen a credential of the ledger. When it
    /// has seen none, one must answer by id, or the ledger has none.
    private func conclude(isOfAll: Bool, _ report: inout SweepReport) async throws {
        report.isFull = false
        guard report.failedLists == 0 else { return }
        var isProven = report.seen > 0
        if !isProven {
            let witness = Witness(pool: self.pool, provider: self.provider)
            isProven = await witness.testimony(without: nil) {} != .unproven
        }
        // A credential counts as missing only after a witness or an operator has spoken for the account.
        report.isPlausible =
            isProven || self.options.believesAbsence || report.missing + report.reprovisioned > 0
        report.isFull = isProven && isOfAll
    }

    private func queueForgottenUsers(of tenant: TenantID?) async throws -> Int {
        var place = ForgottenUsers.Place(tenant: tenant?.rawValue ?? "", user: "")
        var queued = 0
        repeat {
            let next = try ForgottenUsers.nextPlace(
                after: try await self.pool.query(ForgottenUsers.enqueue(after: place)))
            place = next.place
            queued += next.queued
        } while !place.user.isEmpty && (tenant == nil || place.tenant == tenant?.rawValue)
        return queued
    }
}
