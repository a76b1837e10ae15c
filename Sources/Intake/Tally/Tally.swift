// SPDX-License-Identifier: Apache-2.0
// Counts what is not stored, and writes the counts every ten seconds, away from the way of deliveries.
//
// A delivery that is accepted never comes here. One that is refused or ignored costs a short lock and, once a minute, a
// sample. Nothing waits for the database: while it is away the counts stay in memory, within `TallyCounts`' bounds.

import Foundation
import Logging
import Model
import Postgres
import Synchronization

final class Tally: Sendable {
    private struct State: Sendable {
        var counts = TallyCounts()
        var samples = TallySamples()
    }

    /// Bytes of a reason at most. A type is cut to its first ones.
    static let maximumReason = 64
    private static let interval: Duration = .seconds(10)

    private let pool: PostgresPool
    private let logger: Logger
    private let state = Mutex(State())
    private let types = Mutex(IgnoredTypes())
    private let isFailing = Atomic(false)

    init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    // MARK: Counting

    /// Counts a request that was refused. `form` is asked for only when a sample is due.
    func count(_ refusal: Refusal, of source: SourceID, at now: Date, form: () -> RequestForm) {
        self.count(
            .refused, refusal.reason, of: source, at: now, skewMilliseconds: refusal.skewMilliseconds, form: form)
    }

    /// Counts events that were not stored. `reason` is a word of a closed set, or the sender's type.
    func count(
        _ outcome: TallyOutcome, _ reason: String, of source: SourceID, at now: Date, times: Int = 1,
        skewMilliseconds: Int64? = nil, form: () -> RequestForm
    ) {
        let reason = Self.reason(reason)
        let time = Int64(now.timeIntervalSince1970.rounded(.down))
        let minute = time - time % 60
        let key = TallyCounts.Key(bucket: minute, source: source, outcome: outcome, reason: reason)
        let count = TallyCounts.Count(count: Int64(times), lastAt: now, skewMilliseconds: skewMilliseconds)
        let sampled: SourceID? = self.state.withLock { state in
            let counted = state.counts.add(count, at: key)
            return state.samples.isDue(counted, outcome, in: minute) ? counted : nil
        }
        guard let sampled else { return }
        let sample = TallySample(at: now, source: sampled, outcome: outcome, reason: reason, form: form())
        self.state.withLock { $0.samples.add(sample) }
    }

    /// Returns the first bytes of a type, or "others" for one that a terminal would not show.
    private static func reason(_ text: String) -> String {
        let first = Shortened.prefix(of: text, bytes: Self.maximumReason)
        return !first.isEmpty && VisibleText.isVisible(first) ? first : TallyCounts.others
    }

    /// How many counts and samples wait in memory.
    var waiting: (counts: Int, samples: Int) { self.state.withLock { ($0.counts.all.count, $0.samples.waiting.count) } }

    // MARK: Writing

    /// Writes every ten seconds, until the task is cancelled.
    ///
    /// Cancelled here: the loop ends. The caller then writes what is left.
    func run(clock: some Clock<Duration> = ContinuousClock()) async {
        while !Task.isCancelled {
            try? await clock.sleep(for: Self.interval)
            if !Task.isCancelled { await self.write() }
        }
    }

    /// Writes what is left at the end of the process.
    ///
    /// Cancelled here: it goes on, for a few seconds at most. It is a task of its own, because a task that is cancelled
    /// gets no connection.
    func writeLast() async { await Task { await self.write() }.value }

    /// Writes what waits. What cannot be written stays in memory.
    ///
    /// Cancelled here: nothing was sent, or the statement goes on to its end. A count is written twice where the
    /// database does not say whether it has committed it.
    func write(now: Date = Date()) async {
        let (counts, samples) = self.state.withLock { ($0.counts.take(now: now), $0.samples.take(now: now)) }
        let isWritten = await self.tried(counts.isEmpty, { try await self.write(counts, now: now) }) {
            self.state.withLock { $0.counts.putBack(counts, now: now) }
        }
        // Without a database one attempt is enough.
        guard isWritten else { return self.state.withLock { $0.samples.putBack(samples) } }
        _ = await self.tried(samples.isEmpty, { try await self.write(samples) }) {
            self.state.withLock { $0.samples.putBack(samples) }
        }
    }

    private func write(_ counts: [TallyCounts.Key: TallyCounts.Count], now: Date) async throws {
        try await self.pool.withConnection { connection in
            let unknown = self.types.withLock { $0.unknown(in: counts, now: now) }
            if !unknown.isEmpty {
                let found = try await connection.query(TallyStatement.types(of: unknown)).map { row in
                    var columns = row.columns
                    return (try columns.next(SourceID.self), try columns.next(String.self))
                }
                self.types.withLock { $0.note(found, of: unknown) }
            }
            let folded = self.types.withLock { $0.folded(counts) }
            _ = try await connection.query(TallyStatement.add(folded), shielded: true)
        }
    }

    private func write(_ samples: [TallySample]) async throws {
        try await self.pool.withConnection { _ = try await $0.query(TallyStatement.keep(samples), shielded: true) }
    }

    /// Returns whether the work was done, or there was none. What the database never takes is dropped, so that it keeps
    /// nothing else from being written.
    private func tried(
        _ isNothing: Bool, _ work: () async throws -> Void, otherwise putBack: () -> Void
    ) async -> Bool {
        if isNothing { return true }
        do {
            try await work()
            if self.isFailing.exchange(false, ordering: .relaxed) {
                self.logger.notice("counts of what was not stored are written again")
            }
            return true
        } catch {
            if let error = error as? PostgresError, error.isRefusedForGood {
                self.logger.error("counts were refused by the database and are lost", metadata: ["error": "\(error)"])
                return true
            }
            putBack()
            // At the end of the process it is the cancellation that fails it, and a last attempt follows.
            if !Task.isCancelled && !self.isFailing.exchange(true, ordering: .relaxed) {
                self.logger.warning("counts of what was not stored wait in memory", metadata: ["error": "\(error)"])
            }
            return false
        }
    }
}
