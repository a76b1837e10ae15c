// SPDX-License-Identifier: Apache-2.0
// Where the walk over the account stands, and when its next page is due.

import Postgres
import Telnyx

/// The one row of `account_walk`.
struct WalkPlace: Sendable, Equatable {
    /// The page that is next, from 1.
    var page: Int32
    /// How many there were at the last look; nil: not known.
    var pages: Int32?

    /// Takes the page that is due, for two minutes. Of two nodes the second waits for the row and finds it not due.
    static let take: SQL = """
        update dialtone.account_walk
        set due_at = clock_timestamp() + interval '2 minutes',
            started_at = case when page = 1 or started_at is null then clock_timestamp() else started_at end
        where due_at <= clock_timestamp()
        returning page, pages
        """

    static func read(_ row: PostgresRow) throws -> WalkPlace {
        let (page, pages) = try row.decode(Int32.self, Int32?.self)
        return WalkPlace(page: page, pages: pages)
    }

    /// The page could not be read: it is due again in a minute.
    static let failed: SQL =
        "update dialtone.account_walk set due_at = clock_timestamp() + interval '1 minute'"

    /// Goes on to the page after this one, or to the first when the round is over. A round begins a day after the last
    /// one at the earliest.
    func next(after page: CredentialPage) -> SQL {
        let pages = page.totalPages.map(Int32.init(clamping:)) ?? self.pages
        let isLast = page.credentials.isEmpty || self.page >= page.totalPages.map(Int32.init(clamping:)) ?? Int32.max
        let pause = Self.pause(pages: pages)
        guard isLast else {
            return """
                update dialtone.account_walk
                set page = \(self.page + 1), pages = \(pages), due_at = clock_timestamp() + \(pause)
                where page = \(self.page)
                """
        }
        return """
            update dialtone.account_walk
            set page = 1, pages = \(pages),
                due_at = greatest(clock_timestamp() + \(pause), started_at + interval '1 day')
            where page = \(self.page)
            """
    }

    /// From one page to the next. A round takes a week where there are many pages, and less where 86 seconds a page are
    /// enough: that is a thousand calls a day.
    static func pause(pages: Int32?) -> Duration {
        guard let pages, pages > 0 else { return .seconds(86) }
        return min(max(.seconds(7 * 86_400) / Int(pages), .seconds(20)), .seconds(86))
    }
}
