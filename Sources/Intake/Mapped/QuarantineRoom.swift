// SPDX-License-Identifier: Apache-2.0
// How much of one source the quarantine still takes, so that no sender fills the database.

import Logging
import Model
import Postgres
import Synchronization

/// Counts the open rows of a source and believes the count for some seconds. Another node may add rows meanwhile, so
/// the bound is exceeded by a few seconds' worth at most.
final class QuarantineRoom: Sendable {
    private struct Counted: Sendable {
        let open: Int
        let at: ContinuousClock.Instant
        /// The source's name, for the log.
        let slug: String
    }

    /// Open rows of one source at most.
    static let maximumOpen = 10_000
    private static let maximumAge: Duration = .seconds(5)
    /// With more sources than this all counts are forgotten.
    private static let maximumSources = 1_000

    private let pool: PostgresPool
    private let logger: Logger
    private let counts = Mutex<[SourceID: Counted]>([:])
    /// Sources that were full when they were counted last, and may have room by now.
    private let due = Mutex<Set<SourceID>>([])

    init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    /// Returns how many more rows the source may have.
    func left(of source: SourceID, named slug: String, now: ContinuousClock.Instant = .now) async throws -> Int {
        let last = self.counts.withLock { $0[source] }
        if let last, last.at.duration(to: now) < Self.maximumAge { return max(0, Self.maximumOpen - last.open) }
        let open = try await self.count(source)
        self.counts.withLock { counts in
            if counts.count >= Self.maximumSources { counts = [:] }
            counts[source] = Counted(open: open, at: now, slug: slug)
        }
        let wasFull = last.map { $0.open >= Self.maximumOpen } ?? false
        if open >= Self.maximumOpen && !wasFull {
            self.logger.warning(
                "the quarantine of a source is full: further events of it are ignored",
                metadata: ["source": "\(source.rawValue.lowercase)", "name": "\(slug)", "open": "\(open)"])
        }
        return max(0, Self.maximumOpen - open)
    }

    /// Returns whether the source had room when it was counted last. A count that is old is due to be made again; until
    /// then a source that was full stays full.
    func hasRoom(_ source: SourceID, now: ContinuousClock.Instant = .now) -> Bool {
        guard let last = self.counts.withLock({ $0[source] }), last.open >= Self.maximumOpen else { return true }
        if last.at.duration(to: now) >= Self.maximumAge { self.due.withLock { _ = $0.insert(source) } }
        return false
    }

    /// Counts the sources that are due. A count that fails is due again with the source's next event.
    ///
    /// Cancelled here: the sources are counted by the next node.
    func countDue(now: ContinuousClock.Instant = .now) async {
        var due: Set<SourceID> = []
        self.due.withLock { swap(&$0, &due) }
        for source in due {
            let slug = self.counts.withLock { $0[source]?.slug } ?? ""
            _ = try? await self.left(of: source, named: slug, now: now)
        }
    }

    /// Whether a source is due.
    var isDue: Bool { self.due.withLock { !$0.isEmpty } }

    /// Counts rows that were written.
    func take(_ rows: Int, of source: SourceID) {
        self.counts.withLock { counts in
            guard let last = counts[source] else { return }
            counts[source] = Counted(open: last.open + rows, at: last.at, slug: last.slug)
        }
    }

    /// Index quarantine_open. The scan ends one row beyond the bound.
    private func count(_ source: SourceID) async throws -> Int {
        let rows = try await self.pool.query(
            """
            select count(*) from (
                select 1 from dialtone.quarantine where source_id = \(source) and settled_at is null
                limit \(Int64(Self.maximumOpen + 1))) open
            """)
        guard let row = rows.first else { return 0 }
        var columns = row.columns
        return try columns.next()
    }
}
