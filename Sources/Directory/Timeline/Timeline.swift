// SPDX-License-Identifier: Apache-2.0
// The life of a user as one line of time: from the delivery to the first login token, the oldest step first.

package import Foundation
package import Model
import Postgres

/// A page of a user's steps.
package struct TimelinePage: Sendable {
    package let entries: [TimelineEntry]
    package let next: String?
    /// Since when the log of jobs is kept; what was before is known from the tables alone. Nil: from the beginning.
    package let logFrom: Date?
}

package struct Timelines: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns a page of the user's steps; nil when there is no such user. `after` is the `next` of an earlier page.
    ///
    /// Throws `InvalidValue` for any other text.
    package func page(
        _ user: UserKey, after: String? = nil, limit: Int, as reader: Reader
    ) async throws -> TimelinePage? {
        let list = "\(user.tenant) timeline \(user.user)".replacing("\n", with: " ")
        let start = try Start(after, of: list)
        let most = limit + start.shown + 1
        let rows = try await self.reads.rows(
            as: reader,
            [
                TimelineSelect.user(user), TimelineSelect.transitions(user, from: start.at, limit: most),
                TimelineSelect.events(user, from: start.at, limit: most), TimelineSelect.credentials(user),
                TimelineSelect.surplus(user), TimelineSelect.logBegins,
                TimelineSelect.actions(user, from: start.at, limit: most),
            ])
        guard !rows[0].isEmpty else { return nil }
        var steps = try rows[6].map(Self.action) + rows[1].map(Self.transition) + rows[2].map(Self.event)
        steps += try rows[3].flatMap(Self.life) + rows[4].flatMap(Self.surplus)
        steps = steps.filter { $0.microseconds >= start.at }.sorted(by: Self.isBefore)
        let left = steps.dropFirst(start.shown)
        let page = Array(left.prefix(limit))
        return TimelinePage(
            entries: page, next: left.count > limit ? start.next(after: page, of: list) : nil,
            logFrom: try rows[5].first?.decode(Date?.self) ?? nil)
    }

    /// The order of a life. It is the same at each read, so that a page begins where the last one ended.
    private static func isBefore(_ one: TimelineEntry, _ other: TimelineEntry) -> Bool {
        (one.microseconds, one.kind, one.epoch ?? 0, one.id) < (
            other.microseconds, other.kind, other.epoch ?? 0, other.id
        )
    }

    /// Where a page begins: at a time, of which so many steps were shown already.
    private struct Start {
        /// Microseconds since 1970, as the database has them. A `Date` is a binary fraction of a second.
        var at: Int64 = 0
        var shown = 0

        /// One delivery has 10,000 items at most, and they may all be of one user and of one moment.
        private static let most = 20_000

        init(_ cursor: String?, of list: String) throws(InvalidValue) {
            guard let cursor else { return }
            let parts = try ListCursor.place(cursor, of: list, count: 2)
            guard let microseconds = Int64(parts[0]), let shown = Int(parts[1]), (0...Self.most).contains(shown) else {
                throw InvalidValue("after", "must be the next of an earlier page")
            }
            self.at = microseconds
            self.shown = shown
        }

        func next(after page: [TimelineEntry], of list: String) -> String? {
            guard let last = page.last else { return nil }
            let time = last.microseconds
            var shown = page.count { $0.microseconds == time }
            if time == self.at { shown += self.shown }
            return ListCursor(list: list, place: ["\(time)", "\(shown)"]).text
        }
    }

    // MARK: Steps

    private static func action(_ row: PostgresRow) throws -> TimelineEntry {
        let (at, action, generation, request) = try row.decode(Date.self, String.self, Generation.self, String.self)
        var entry = TimelineEntry(at: at, kind: TimelineKind(rawValue: "action.\(action)") ?? .jobWaits)
        (entry.generation, entry.requestID, entry.actor) = (generation, request, "operator")
        return entry
    }

    private static func transition(_ row: PostgresRow) throws -> TimelineEntry {
        var columns = row.columns
        let at: Date = try columns.next()
        let (from, to): (String, String) = (try columns.next(), try columns.next())
        let generation: Generation = try columns.next()
        let epoch: Int64 = try columns.next()
        let worker: UUID? = try columns.next()
        let status: Int32? = try columns.next()
        let request: String? = try columns.next()
        let code: String? = try columns.next()
        var entry = TimelineEntry(
            at: at, kind: TimelineKind(from: from, to: to, hasCall: status != nil || request != nil, status: status))
        (entry.from, entry.to, entry.generation, entry.epoch) = (from, to, generation, epoch)
        entry.worker = worker?.lowercase
        (entry.httpStatus, entry.providerRequestID, entry.code) = (status, request, code)
        entry.callMilliseconds = try columns.next()
        entry.waitedMilliseconds = try columns.next()
        return entry
    }

    private static func event(_ row: PostgresRow) throws -> TimelineEntry {
        var columns = row.columns
        let at: Date = try columns.next()
        let id: UUID = try columns.next()
        let delivery: String? = try columns.next()
        let outcome: String = try columns.next()
        var entry = TimelineEntry(at: at, kind: TimelineKind(rawValue: "event.\(outcome)") ?? .eventAccepted)
        entry.eventID = id.lowercase
        entry.deliveryID = delivery
        entry.code = try columns.next()
        entry.source = try columns.next()
        return entry
    }

    private static func life(_ row: PostgresRow) throws -> [TimelineEntry] {
        var columns = row.columns
        let generation: Generation = try columns.next()
        let id: String = try columns.next()
        let status: CredentialStatus = try columns.next()
        let createdAt: Date = try columns.next()
        let closeAfter: Date? = try columns.next()
        let missingSince: Date? = try columns.next()
        let deletedAt: Date? = try columns.next()
        let firstToken: Date? = try columns.next()
        let lastToken: Date? = try columns.next()
        let moments: [(Date?, TimelineKind)] = [
            (createdAt, .credentialActive), (missingSince, .credentialMissing),
            (status == .closing ? closeAfter : nil, .credentialClosing), (deletedAt, .credentialDeleted),
            (firstToken, .tokenFirst), (lastToken == firstToken ? nil : lastToken, .tokenLast),
        ]
        return moments.compactMap { at, kind in
            at.map {
                var entry = TimelineEntry(at: $0, kind: kind)
                (entry.generation, entry.credentialID) = (generation, id)
                return entry
            }
        }
    }

    private static func surplus(_ row: PostgresRow) throws -> [TimelineEntry] {
        let (generation, id, foundAt, deletedAt) = try row.decode(Int32?.self, String.self, Date.self, Date?.self)
        let moments: [(Date?, TimelineKind)] = [(foundAt, .surplusFound), (deletedAt, .surplusDeleted)]
        return moments.compactMap { at, kind in
            at.map {
                var entry = TimelineEntry(at: $0, kind: kind)
                (entry.generation, entry.credentialID) = (generation, id)
                return entry
            }
        }
    }
}
