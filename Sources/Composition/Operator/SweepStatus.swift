// SPDX-License-Identifier: Apache-2.0
// How far the comparison with the provider is: tags, names in doubt, the walk, and what waits for an operator.

import Foundation
package import Model
import Onboarding
import Postgres
import ProviderLimits

/// The state of the sweep, as rows tell it. Nothing is asked of the provider.
package struct SweepStatus: Encodable, Sendable, Equatable {
    /// Tags that were ever used.
    package var tags = 0
    /// Tags that were not seen whole since the database server changed last.
    package var unseen = 0
    /// Tags whose visit is due, and the seconds since the longest due one was.
    package var late = 0
    package var latest_by_seconds = 0
    /// Tags whose last visit failed.
    package var failing = 0
    /// Tags where more would change than a visit may change, with the number of changes.
    package var waiting: [WaitingTag] = []
    /// For how long the workers make no visit, because calls are held back; nil: they do.
    @OrNull package var rests_for_seconds: Int?
    /// Whether visits have found no known credential, and none has found one since.
    package var no_witness = false
    /// Names whose create was in doubt in the last day.
    package var doubts = 0
    /// Credentials that bear this installation's name and belong to no user of the ledger.
    package var strays = 0
    /// The page of the account that is next, and how many there were; nil when no page was seen yet.
    package var page = 1
    @OrNull package var pages: Int?
    /// Whether nothing is deleted until an operator has confirmed which installation this is.
    package var needs_confirmation = false

    package struct WaitingTag: Encodable, Sendable, Equatable {
        package var tag: String
        package var changes: Int
    }

    /// One line for each fact, at most 80 columns wide.
    package var lines: [String] {
        var lines = ["tags: \(self.tags)"]
        if self.unseen > 0 { lines.append("not seen since the database server changed: \(self.unseen)") }
        if self.late > 0 { lines.append("late: \(self.late), the longest by \(Self.text(self.latest_by_seconds))") }
        if self.failing > 0 { lines.append("failing: \(self.failing), tried again by themselves") }
        if let rest { lines.append(rest) }
        lines.append("names in doubt that are followed: \(self.doubts)")
        lines.append("walk over the account: page \(self.page)" + (self.pages.map { " of \($0)" } ?? ""))
        if self.strays > 0 { lines.append("unknown: \(self.strays); see dialtone sweep --dry-run") }
        for waiting in self.waiting.prefix(20) {
            lines.append("waits for you: \(waiting.tag), where \(waiting.changes) would change")
        }
        if self.waiting.count > 20 { lines.append("… and \(self.waiting.count - 20) tags more") }
        if self.needs_confirmation {
            lines.append("nothing is deleted: run dialtone installation confirm --same or --clone")
        }
        return lines
    }

    /// Whether the workers visit nothing for a while, and why.
    private var rest: String? {
        let why = self.no_witness ? "no known credential answers (no witness)" : "see dialtone limit list"
        if let seconds = self.rests_for_seconds { return "visits rest for \(Self.text(seconds)): \(why)" }
        return self.no_witness ? "at the last visits \(why)" : nil
    }

    private static func text(_ seconds: Int) -> String {
        seconds < 120 ? "\(seconds) s" : seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
    }
}

extension Administration {
    /// Reads how far the sweep is. Reads all rows of `tenant_tags`, which are a thousandth of the credentials.
    package func sweepStatus() async throws -> SweepStatus {
        try await self.withPool { pool in
            var status = SweepStatus()
            for row in try await pool.query(Self.counts) { try Self.read(row, into: &status) }
            for row in try await pool.query(Self.waitingTags) {
                let (tag, changes) = try row.decode(String.self, Int32.self)
                status.waiting.append(SweepStatus.WaitingTag(tag: tag, changes: Int(changes)))
            }
            let rest = try await ProviderLimits(pool: pool).wait(for: .sweep)
            status.rests_for_seconds = rest.map { Int(($0 / Duration.seconds(1)).rounded(.up)) }
            return status
        }
    }

    private static let counts: SQL = """
        select tag.count, tag.unseen, tag.late, tag.latest_by, tag.failing,
               (select count(*) from dialtone.doubts),
               (select count(*) from dialtone.surplus where user_id is null and deleted_at is null),
               walk.page, walk.pages, coalesce(incarnation.is_stopped, false),
               -- A visit that began after the rest did, and listed its tag, had a witness.
               exists (select 1 from dialtone.provider_limits resting
                       where resting.scope = 'kind:sweep' and resting.reason = \(WitnessRest.reason)
                         and not exists (select 1 from dialtone.tenant_tags
                                         where listed_at > resting.paused_until - \(WitnessRest.length)))
        from dialtone.account_walk walk
        left join dialtone.incarnation incarnation on true
        cross join lateral (
            select count(*), count(*) filter (where seen_era is distinct from incarnation.era) as unseen,
                   count(*) filter (where due_at < statement_timestamp()) as late,
                   coalesce(max(extract(epoch from statement_timestamp() - due_at))
                                filter (where due_at < statement_timestamp() and due_at > '-infinity'), 0)::bigint
                       as latest_by,
                   count(*) filter (where failures > 0) as failing
            from dialtone.tenant_tags) tag
        """

    private static let waitingTags: SQL =
        "select tag, would_change from dialtone.tenant_tags where would_change is not null order by tag"

    private static func read(_ row: PostgresRow, into status: inout SweepStatus) throws {
        var columns = row.columns
        status.tags = Int(try columns.next(Int64.self))
        status.unseen = Int(try columns.next(Int64.self))
        status.late = Int(try columns.next(Int64.self))
        status.latest_by_seconds = Int(try columns.next(Int64.self))
        status.failing = Int(try columns.next(Int64.self))
        status.doubts = Int(try columns.next(Int64.self))
        status.strays = Int(try columns.next(Int64.self))
        status.page = Int(try columns.next(Int32.self))
        status.pages = try columns.next(Int32?.self).map(Int.init)
        status.needs_confirmation = try columns.next()
        status.no_witness = try columns.next()
    }
}
