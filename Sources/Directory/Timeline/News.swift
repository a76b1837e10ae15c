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
    /// A statement sorts so much time at most. The rest of a busy hour would be sorted anew for each answer.
    static let stretch: Int64 = 60_000_000
    /// Statements of one answer at most. They cross an hour in which nothing happened.
    private static let mostReads = 64
    /// Items of one answer at most.
    package static let mostPerAnswer = 500

    /// What a reader has been told.
    package struct Told: Sendable {
        /// All that is older is told. It is in microseconds since 1970.
        fileprivate var place: Int64
        /// The rows that were told and may be read again, with their times.
        fileprivate var keys: [String: Int64] = [:]
        /// Where the last answer ended, when it had no room for the whole window.
        fileprivate var rest: (after: Row, window: Window)?

        package init(from place: NewsPlace) { self.place = place.microseconds - News.overlap }

        /// How many rows are remembered.
        var keyCount: Int { self.keys.count }

        /// Notes a row and returns whether it is new. A row that cannot come again needs no key.
        fileprivate mutating func isNew(_ key: String, at: Int64, in window: Window) -> Bool {
            guard self.keys[key] == nil else { return false }
            if at >= window.settled { self.keys[key] = at }
            return true
        }

        /// Goes on behind a window that was read to its end.
        fileprivate mutating func finish(_ window: Window) {
            self.rest = nil
            // The server's clock may have gone back.
            let place = max(self.place, window.settled)
            self.place = place
            self.keys = self.keys.filter { $0.value >= place }
        }
    }

    /// The key of a row: no other row has it.
    fileprivate struct Row: Sendable {
        var at: Int64
        var epoch: Int64
        var job: UUID
    }

    /// A piece of the log. It is read to its end before the next one begins, in one answer or in several.
    fileprivate struct Window: Sendable {
        let end: Int64
        /// Rows before this time are all there. Rows after it are read again, together with those that were late.
        let settled: Int64
        let reachesNow: Bool

        /// `now` is read before the window's first row. A row that is missed later was not committed then.
        init(after place: Int64, now: Int64) {
            self.end = min(place + News.stretch, now)
            self.settled = min(self.end, now - News.overlap)
            self.reachesNow = self.end == now
        }
    }

    /// Returns the database's time as a place: from there on everything is news.
    package func now(as reader: Reader) async throws -> NewsPlace {
        let rows = try await self.reads.rows(as: reader, [Self.now])
        return NewsPlace(microseconds: try rows[0].first?.decode(Int64.self) ?? 0)
    }

    /// Returns what is new since the reader was told last, the oldest first. An item may come again after a break, and
    /// none is left out that was committed within five seconds.
    ///
    /// Who is far behind is told window by window, and each statement reads one window at most. A full answer has a
    /// rest, which the next call reads.
    package func next(of tenant: TenantID, after told: inout Told, as reader: Reader) async throws -> [NewsItem] {
        // When a later statement fails, what the earlier ones found does not count as told.
        var reading = told
        var items: [NewsItem] = []
        for _ in 1...Self.mostReads {
            let isAtNow = try await self.read(of: tenant, after: &reading, to: &items, as: reader)
            // Room for a few more items is not worth another statement.
            if isAtNow || items.count >= Self.mostPerAnswer / 2 { break }
        }
        told = reading
        return items
    }

    /// Reads a window, or as much of it as there is room for. Returns whether everything until now was read.
    private func read(
        of tenant: TenantID, after told: inout Told, to items: inout [NewsItem], as reader: Reader
    ) async throws -> Bool {
        let room = Self.mostPerAnswer - items.count
        let after = told.rest?.after ?? Row(at: told.place, epoch: -1, job: Self.lowest)
        let end = told.rest?.window.end ?? told.place + Self.stretch
        let rows = try await self.reads.rows(
            as: reader, [Self.bitmaps, Self.now, Self.select(of: tenant, after: after, until: end, limit: room)])
        let now: Int64 = try rows[1].first?.decode(Int64.self) ?? 0
        let window = told.rest?.window ?? Window(after: told.place, now: now)
        var last: Row?
        for row in rows[2] {
            let (item, place) = try Self.item(row)
            last = place
            let key = "\(place.job.lowercase) \(place.epoch) \(item.entry.to ?? "") \(place.at)"
            if told.isNew(key, at: place.at, in: window) { items.append(item) }
        }
        if rows[2].count == room, let last {
            told.rest = (last, window)
            return false
        }
        told.finish(window)
        return window.reachesNow
    }

    private static let lowest = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// The log has no index by tenant and time, which every transition would pay for. A BRIN index of its times costs
    /// nearly nothing, and is read by a bitmap.
    private static let bitmaps: SQL = "select set_config('enable_bitmapscan', 'on', true)"

    /// The time at which the transaction began: for the statement that follows it is the same.
    private static let now: SQL = "select (extract(epoch from now()) * 1000000)::bigint"

    /// Index job_log_at, by partition. Rows after `end` and after now are not read.
    private static func select(of tenant: TenantID, after place: Row, until end: Int64, limit: Int) -> SQL {
        let time: SQL = "timestamptz 'epoch' + \(place.at) * interval '1 microsecond'"
        return """
            select (extract(epoch from at) * 1000000)::bigint, user_id, at, from_state, to_state, generation, epoch,
                   http_status, provider_request_id, error_code, call_ms, waited_ms, job_id
            from dialtone.job_log
            where at >= \(time) and at <= least(timestamptz 'epoch' + \(end) * interval '1 microsecond', now())
              and (at, epoch, job_id) > (\(time), \(place.epoch), \(place.job)) and tenant_id = \(tenant)
            order by at, epoch, job_id limit \(limit)
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
            at: at, kind: TimelineKind(from: from, to: to, hasCall: status != nil || request != nil, status: status))
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
