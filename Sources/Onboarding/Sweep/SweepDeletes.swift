// SPDX-License-Identifier: Apache-2.0
// The end of a sweep that an operator asks for: surplus is deleted, and what a worker has taken before is awaited.

import Model
import Postgres

extension Sweep {
    /// So long after the last delete it waits for the next. What a worker took and left is due again in two minutes.
    private static let longestWait: Duration = .seconds(180)
    /// Between two looks at what others delete.
    private static let pause: Duration = .seconds(1)

    /// Returns the strays whose delete is ordered now.
    func doom(_ strays: [Stray]) async throws -> [ProviderID] {
        guard self.options.deletesStrays else { return [] }
        // What an inexact filter has shown may be on its way into another tag.
        let certain = strays.filter { $0.tag != nil }.map(\.id)
        return try await self.ids(Stray.doom(certain))
    }

    /// Deletes what is due, of one tenant or of all, and waits for the deletes of what this run has found.
    ///
    /// Cancelled here: the workers delete what is left.
    func delete(
        _ found: [ProviderID], _ doomed: [ProviderID], of tenant: TenantID?, _ report: inout SweepReport
    ) async throws {
        if !doomed.isEmpty {
            self.tell("\(doomed.count) unknown; deleting them in \(Stray.reprieve.components.seconds) s")
            try await self.time.sleep(Stray.reprieve + .seconds(1))
        }
        let ours = try await self.drain(found + doomed, of: tenant)
        let strays = Set(try await self.ids(Surplus.gone(among: doomed)))
        report.straysDeleted = strays.count
        report.surplusDeleted = ours.union(try await self.ids(Surplus.gone(among: found))).subtracting(strays).count
    }

    /// Deletes until nothing is due, and until each of the awaited is gone, refused or stopped, whoever deletes it.
    /// Returns what was deleted here.
    ///
    /// It waits here and not within a call: what is to be deleted is proven just before (`SurplusDeletion`).
    private func drain(_ awaited: [ProviderID], of tenant: TenantID?) async throws -> Set<ProviderID> {
        var provider = self.provider
        provider.patience = nil
        let deletion = SurplusDeletion(pool: self.pool, provider: provider, tenant: tenant)
        var gone: Set<ProviderID> = []
        var left = Int.max
        var (deadline, held) = (self.time.now() + Self.longestWait, self.provider.patience?.deadline)
        while true {
            let result = try await deletion.run(limit: 16)
            gone.formUnion(result.gone)
            if !result.gone.isEmpty {
                (deadline, held) = (self.time.now() + Self.longestWait, self.provider.patience?.deadline)
            }
            if let wait = result.heldFor {
                guard let held, await self.provider.patience?.wait(for: wait, until: held) == true else { return gone }
                deadline += wait
                continue
            }
            guard self.time.now() < deadline else { return gone }
            if result.tried == 16 { continue }
            let open = try await self.ids(Surplus.awaited(awaited, of: tenant)).count
            if open > 0 && left == .max { self.tell("waiting for \(open) deletes that are not done yet") }
            if open < left { (left, deadline) = (open, self.time.now() + Self.longestWait) }
            guard open > 0 else { return gone }
            try await self.time.sleep(Self.pause)
        }
    }

    private func ids(_ statement: SQL) async throws -> [ProviderID] {
        try await self.pool.query(statement).map { row in
            var columns = row.columns
            return try columns.next()
        }
    }
}
