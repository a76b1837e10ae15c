// SPDX-License-Identifier: Apache-2.0
// Adds the counts of this process to their rows of `tenant_minutes`, every ten seconds and at the end.

package import Logging
package import Postgres
import Synchronization

/// One for each process. A process that is killed loses ten seconds of a picture, and nothing of the ledger.
package final class TenantMinutes: Sendable {
    private static let interval: Duration = .seconds(10)
    /// Rows of one statement.
    private static let rowsPerStatement = 1000

    private let counts: TenantCounts
    private let pool: PostgresPool
    private let logger: Logger
    private let isFailing = Atomic(false)

    package init(_ counts: TenantCounts, pool: PostgresPool, logger: Logger) {
        self.counts = counts
        self.pool = pool
        self.logger = logger
    }

    /// Writes every ten seconds until the task is cancelled, and then what is left.
    ///
    /// Cancelled here: the last write is a task of its own, because a task that is cancelled gets no connection. It
    /// takes a few seconds at most.
    package func run(clock: some Clock<Duration> = ContinuousClock()) async {
        while !Task.isCancelled {
            try? await clock.sleep(for: Self.interval)
            if !Task.isCancelled { await self.write() }
        }
        await Task { await self.write() }.value
    }

    /// Writes what waits. What cannot be written stays in memory.
    ///
    /// Cancelled here: nothing was sent, or the statement goes on to its end. A count is written twice where the
    /// database does not say whether it has committed it.
    package func write() async {
        let taken = self.counts.take()
        if taken.leftOut > 0 {
            self.logger.warning(
                "more happened in more tenants than this process counts; their counts are too low",
                metadata: ["left_out": "\(taken.leftOut)", "tenants": "\(taken.rows.count)"])
        }
        var rest = taken.rows.map { (key: $0.key, count: $0.value) }[...]
        while !rest.isEmpty {
            guard await self.isWritten(Array(rest.prefix(Self.rowsPerStatement))) else {
                return self.counts.putBack(Array(rest))
            }
            rest = rest.dropFirst(Self.rowsPerStatement)
        }
    }

    /// Returns whether the rows are done with. Rows that the database never takes are dropped, so that they keep nothing
    /// else from being written.
    private func isWritten(_ rows: [Row]) async -> Bool {
        do {
            try await self.pool.withConnection { _ = try await $0.query(Self.add(rows), shielded: true) }
            if self.isFailing.exchange(false, ordering: .relaxed) {
                self.logger.notice("counts of tenants are written again")
            }
            return true
        } catch let error as PostgresError where error.isRefusedForGood {
            self.logger.error(
                "counts of tenants were refused by the database and are lost", metadata: ["error": "\(error)"])
            return true
        } catch {
            // At the end of the process it is the cancellation that fails it, and a last attempt follows.
            if !Task.isCancelled && !self.isFailing.exchange(true, ordering: .relaxed) {
                self.logger.warning("counts of tenants wait in memory", metadata: ["error": "\(error)"])
            }
            return false
        }
    }

    typealias Row = (key: TenantCounts.Key, count: TenantCount)

    /// Adds the counts to their rows. Every process writes its own, so the rows have the sums.
    ///
    /// Index tenant_minutes_pkey. Rows are locked in the key's order. Housekeeping skips those that are locked.
    static func add(_ rows: [Row]) -> SQL {
        """
        insert into dialtone.tenant_minutes (
            tenant_id, minutes, bucket, accepted, duplicate, superseded, ignored, quarantined, ready, failed, revoked,
            latency)
        select tenant_id, 1, to_timestamp(bucket), accepted, duplicate, superseded, ignored, quarantined, ready, failed,
               revoked, latency::integer[]
        from unnest(
            \(rows.map(\.key.tenant)), \(rows.map(\.key.minute)), \(rows.map(\.count.accepted)),
            \(rows.map(\.count.duplicate)), \(rows.map(\.count.superseded)), \(rows.map(\.count.ignored)),
            \(rows.map(\.count.quarantined)), \(rows.map(\.count.ready)), \(rows.map(\.count.failed)),
            \(rows.map(\.count.revoked)), \(rows.map { Self.text($0.count.latency) }))
        as t (tenant_id, bucket, accepted, duplicate, superseded, ignored, quarantined, ready, failed, revoked, latency)
        order by tenant_id collate "C", bucket
        on conflict (tenant_id, minutes, bucket) do update
        set \(Self.sums)
        """
    }

    /// The assignments that add a row of counts to the one that is there. Housekeeping adds minutes to hours with them.
    package static let sums: SQL = """
        accepted = tenant_minutes.accepted + excluded.accepted,
        duplicate = tenant_minutes.duplicate + excluded.duplicate,
        superseded = tenant_minutes.superseded + excluded.superseded,
        ignored = tenant_minutes.ignored + excluded.ignored,
        quarantined = tenant_minutes.quarantined + excluded.quarantined,
        ready = tenant_minutes.ready + excluded.ready,
        failed = tenant_minutes.failed + excluded.failed,
        revoked = tenant_minutes.revoked + excluded.revoked,
        latency = case when excluded.ready = 0 then tenant_minutes.latency
                       else array[\(unsafeText: TenantMinutes.latencySums)] end
        """

    private static let latencySums = (1...LatencyBuckets.count)
        .map { "tenant_minutes.latency[\($0)] + excluded.latency[\($0)]" }.joined(separator: ", ")

    private static func text(_ latency: [Int32]) -> String {
        let numbers = latency.isEmpty ? Array(repeating: 0, count: LatencyBuckets.count) : latency
        return "{\(numbers.map { "\($0)" }.joined(separator: ","))}"
    }
}
