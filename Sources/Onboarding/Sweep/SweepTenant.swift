// SPDX-License-Identifier: Apache-2.0
// One tenant during a sweep: its tags are compared one by one, then its users who have no job get one.

import Foundation
import Model
import Postgres

extension Sweep {
    /// Sweeps one tenant, whose last known shard is `last`. Returns the last shard listed; nil when some tag could not
    /// be listed.
    func sweep(
        _ tenant: TenantID, last: Int32, _ isTrusted: Bool, holder: UUID, _ report: inout SweepReport
    ) async throws -> Int32? {
        let listed = try await self.compareShards(of: tenant, last: last, isTrusted, holder: holder, &report)
        if !self.options.isDryRun { try await self.queueForgottenUsers(of: tenant, holder: holder, &report) }
        return listed
    }

    private func compareShards(
        of tenant: TenantID, last: Int32, _ isTrusted: Bool, holder: UUID, _ report: inout SweepReport
    ) async throws -> Int32? {
        var isWhole = true
        // Two empty shards beyond the last known one are looked at too. A shard may have been opened after the backup
        // that this ledger was restored from.
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
        return isWhole ? shard - 1 : nil
    }

    /// Queues a job for each user who waits and has none.
    private func queueForgottenUsers(of tenant: TenantID, holder: UUID, _ report: inout SweepReport) async throws {
        var user = ""
        while true {
            try await self.extend(holder)
            let row = try await self.pool.query(
                SweepCorrections.enqueueForgotten(of: tenant, after: user, limit: 1000)
            ).first
            guard let (count, end) = try row?.decode(Int64.self, String?.self), let end else { return }
            report.enqueued += Int(count)
            user = end
            try await self.breathe()
        }
    }
}
