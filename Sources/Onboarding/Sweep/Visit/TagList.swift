// SPDX-License-Identifier: Apache-2.0
// The list of one tag, page by page, and whether it was whole.

import Foundation
import Model
import Postgres
import Telnyx

/// What a tag has shown. Each credential is in it once, although pages shift.
struct TagList: Sendable {
    var credentials: [TelephonyCredential] = []
    /// What the provider says there is; nil when it does not say.
    var total: Int?
    /// Whether it ended because it had more pages than it should. Then the filter is not heeded.
    var isCut = false
    /// Whether it showed as many as the total says, or the same ones twice.
    var isWhole = false

    var ids: Set<ProviderID> { Set(self.credentials.map(\.id)) }
    var isComplete: Bool { !self.isCut && self.total == self.credentials.count }
}

extension TagVisit {
    /// Lists the tag, and once more when it does not show as many as the provider says there are.
    ///
    /// One that came and one that went between two pages can hide a third from a list. A total may be missing or wrong.
    /// A list that shows the same twice is whole in either case.
    func list(_ calls: inout VisitCalls) async throws -> TagList {
        let expected = try await self.state().expected + max(0, self.tag.others)
        var list = try await self.pages(expected, &calls)
        if list.isCut { return list }
        if list.isComplete {
            list.isWhole = true
            return list
        }
        let (second, ids) = (try await self.pages(expected, &calls), list.ids)
        list.isWhole = second.isComplete || !second.isCut && second.ids == ids
        list.credentials += second.credentials.filter { !ids.contains($0.id) }
        (list.total, list.isCut) = (second.total, second.isCut)
        return list
    }

    /// Reads up to an empty page, the last page, or four pages more than `expected` credentials need. The number of
    /// pages may be as wrong as the total, so a full page is not the last while more is expected.
    private func pages(_ expected: Int, _ calls: inout VisitCalls) async throws -> TagList {
        let query = ListQuery(tag: self.tag.tag)
        let most = (max(0, expected) + query.pageSize - 1) / query.pageSize + 4
        var list = TagList()
        var ids: Set<ProviderID> = []
        for number in 1...most {
            try await self.sweep.prepareCall(&calls)
            let page = try await self.sweep.provider.list(query, page: number)
            list.credentials += page.credentials.filter { ids.insert($0.id).inserted }
            list.total = page.totalResults
            if page.credentials.isEmpty { return list }
            let isShort = page.credentials.count < query.pageSize || list.credentials.count >= expected
            if isShort && number >= (page.totalPages ?? Int.max) { return list }
        }
        list.isCut = true
        return list
    }

    /// Lists the shard after the highest. One that holds something becomes a row whose visit is due now, and that visit
    /// goes on. Returns whether there is such a shard.
    ///
    /// A shard that shows only what `before` shows is none: the provider has ignored the filter.
    func findNextShard(
        before: Set<ProviderID>, _ calls: inout VisitCalls, _ report: inout SweepReport
    ) async throws -> Bool {
        guard self.tag.isHighest else { return false }
        try await self.sweep.prepareCall(&calls)
        let next = ListQuery(tag: TagShards.name(self.tag.shard + 1, of: self.tag.tenant))
        report.tags += 1
        var page = try await self.sweep.provider.list(next, page: 1)
        // An empty page that names a total may have been cut, and what it hides gives no trust.
        if page.credentials.isEmpty, page.totalResults ?? 0 > 0 {
            try await self.sweep.prepareCall(&calls)
            page = try await self.sweep.provider.list(next, page: 1)
        }
        guard !Set(page.credentials.map(\.id)).isSubset(of: before) else { return false }
        if !self.sweep.options.isDryRun { _ = try await self.sweep.pool.query(self.tag.addNext) }
        return true
    }
}
