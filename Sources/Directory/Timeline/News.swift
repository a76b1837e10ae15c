// SPDX-License-Identifier: Apache-2.0
// What happens in a tenant as it happens: the newest transitions of the log, for `dialtone tail`.

import Foundation
package import Model
import Postgres

/// One transition, and the place after it.
package struct NewsItem: Sendable, Equatable {
    /// Where a reader goes on after this item.
    package let place: NewsPlace
    package let user: String
    package let entry: TimelineEntry
}

/// A place in the log: a time in microseconds since 1970.
package struct NewsPlace: Sendable, Comparable, Hashable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// An hour before. Whoever was away for longer finds the lists better.
    package var anHourBefore: NewsPlace { NewsPlace(microseconds: self.microseconds - 3_600_000_000) }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.microseconds < rhs.microseconds }
}

package struct News: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Transactions that commit late put rows behind the newest ones. So much time is read again, and what was told
    /// already is left out.
    static let overlap: Int64 = 5_000_000
    /// Items of one answer at most.
    package static let mostPerAnswer = 500

    /// What a reader has been told.
    package struct Told: Sendable {
        /// All that was committed before is told, but for the overlap.
        fileprivate var place: NewsPlace
        fileprivate var keys: [String: Int64] = [:]
        /// Where the last answer ended, when it was full, and when the first of its run was read.
        fileprivate var rest: (after: Row, began: NewsPlace)?

        package init(from place: NewsPlace) { self.place = place }
    }

    /// The key of a row: no other row has it.
    fileprivate struct Row: Sendable {
        var at: Int64
        var epoch: Int64
        var job: UUID
    }

    /// Returns the database's time as a place: from there on everything is news.
    package func now(as reader: Reader) async throws -> NewsPlace {
        let rows = try await self.reads.rows(as: reader, [Self.now])
        return NewsPlace(microseconds: try rows[0].first?.decode(Int64.self) ?? 0)
    }

    /// Returns what is new since the reader was told last, the oldest first. An item may come again after a break, and
    /// none is left out that was committed within five seconds.
    ///
    /// A full answer has a rest, which the next call reads. After the last of it the place is the time at which the run
    /// of answers began, because all that is older and was not late is told.
    package func next(of tenant: TenantID, after told: inout Told, as reader: Reader) async throws -> [NewsItem] {
        let from = Row(at: told.place.microseconds - Self.overlap, epoch: -1, job: Self.lowest)
        let rows = try await self.reads.rows(
            as: reader, [Self.bitmaps, Self.now, Self.select(of: tenant, after: told.rest?.after ?? from)])
        let began = try told.rest?.began ?? NewsPlace(microseconds: rows[1].first?.decode(Int64.self) ?? 0)
        var items: [NewsItem] = []
        var last: Row?
        for row in rows[2] {
            let (item, place) = try Self.item(row)
            last = place
            let key = "\(place.job.lowercase) \(place.epoch) \(item.entry.to ?? "") \(place.at)"
            guard told.keys.updateValue(place.at, forKey: key) == nil else { continue }
            items.append(item)
        }
        if rows[2].count == Self.mostPerAnswer, let last {
            told.rest = (last, began)
        } else {
            told.rest = nil
            told.place = max(told.place, began)
            let oldest = told.place.microseconds - Self.overlap
            told.keys = told.keys.filter { $0.value >= oldest }
        }
        return items
    }

    private static let lowest = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// The log has no index by tenant and time, which every transition would pay for. A BRIN index of its times costs
    /// nearly nothing, and is read by a bitmap.
    private static let bitmaps: SQL = "select set_config('enable_bitmapscan', 'on', true)"

    private static let now: SQL = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"

    /// Index job_log_at, by partition.
    private static func select(of tenant: TenantID, after place: Row) -> SQL {
        let time: SQL = "timestamptz 'epoch' + \(place.at) * interval '1 microsecond'"
        return """
            select (extract(epoch from at) * 1000000)::bigint, user_id, at, from_state, to_state, generation, epoch,
                   http_status, provider_request_id, error_code, call_ms, waited_ms, job_id
            from dialtone.job_log
            where at >= \(time) and (at, epoch, job_id) > (\(time), \(place.epoch), \(place.job))
              and tenant_id = \(tenant)
            order by at, epoch, job_id limit \(Self.mostPerAnswer)
            """
    }

    private static func item(_ row: PostgresRow) throws -> (NewsItem, Row) {
        var columns = row.columns
        let place = NewsPlace(microseconds: try columns.next())
        let user: String = try columns.next()
        let at: Date = try columns.next()
        let (from, to): (String, String) = (try columns.next(), try columns.next())
        let (generation, epoch): (Generation, Int64) = (try columns.next(), try columns.next())
        let (status, request): (Int32?, String?) = (try columns.next(), try columns.next())
        var entry = TimelineEntry(
            at: at, kind: TimelineKind(from: from, to: to, hasCall: status != nil || request != nil))
        (entry.from, entry.to, entry.generation, entry.epoch) = (from, to, generation, epoch)
        (entry.httpStatus, entry.providerRequestID) = (status, request)
        entry.code = try columns.next()
        entry.callMilliseconds = try columns.next()
        entry.waitedMilliseconds = try columns.next()
        let job: UUID = try columns.next()
        return (
            NewsItem(place: place, user: user, entry: entry), Row(at: place.microseconds, epoch: epoch, job: job)
        )
    }
}
