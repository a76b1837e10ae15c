// SPDX-License-Identifier: Apache-2.0
// The transaction of one replay: the ordinary writer's statements, under the lock of the event's request.

import Foundation
import Model
import Postgres
import Queue

struct ReplayWriting: Sendable {
    let event: OpenEvent
    let source: ReplaySource
    let reading: ReplayReading
    /// By the events' ids, sealed before the transaction.
    var names: [EventID: NewName] = [:]

    /// A deadlock's victim is tried again so often. So is who wanted an id that another node has used meanwhile.
    private static let repeats = 3

    /// Carries a report out of a transaction that is rolled back.
    private struct RolledBack: Error {
        let report: ReplayReport
    }

    /// Writes what is read, or finds out what would be written.
    ///
    /// Cancelled here: the transaction is rolled back.
    func run(in pool: PostgresPool, isDry: Bool) async throws -> ReplayReport {
        for _ in 0..<Self.repeats {
            do {
                return try await self.runOnce(in: pool, isDry: isDry)
            } catch let error as PostgresError where error.isRetryable || error.sqlState == "23505" {
                continue
            }
        }
        return try await self.runOnce(in: pool, isDry: isDry)
    }

    private func runOnce(in pool: PostgresPool, isDry: Bool) async throws -> ReplayReport {
        do {
            return try await pool.withTransaction { connection in
                let report = try await self.write(on: connection)
                if isDry { throw RolledBack(report: report) }
                return report
            }
        } catch let rolledBack as RolledBack {
            return rolledBack.report
        }
    }

    /// Nobody else settles a row of the request from the lock to the transaction's end.
    private func write(on connection: PostgresConnection) async throws -> ReplayReport {
        _ = try await connection.query(QuarantinedBody.lock(of: [self.event.id]))
        if let other = try await Self.settledBy(self.event.id, on: connection) {
            return self.event.report(.settled, EventReplay.words(settledBy: other))
        }
        try await self.source.lock(on: connection)
        try await HiddenIDs.replace(self.reading.moves, isInTransaction: true, on: connection)
        if self.reading.hasWords, let reason = try await self.renumbering(on: connection) {
            return self.event.report(.stays, reason, now: self.now())
        }
        switch self.reading.own {
        case .nothing:
            return self.event.report(.stays, "today's mapping reads nothing at its place", now: self.now())
        case .unusable(let unusable):
            let place = unusable.place.isEmpty ? "the body" : unusable.place
            let further = try await self.settle(nil, on: connection).further
            try await self.takeDeliveryID(on: connection)
            return try await self.stay(
                .unusable(unusable), "\(place) \(unusable.reason.text)", further, on: connection)
        case .ignored:
            let further = try await self.settle(nil, on: connection).further
            try await self.takeDeliveryID(on: connection)
            try await Self.pass(self.event.id, by: Settlement.replay.rawValue, on: connection)
            return try await self.report(.ignored, nil, further, on: connection)
        case .word(let word): return try await self.write(word, on: connection)
        }
    }

    private func write(_ word: Word, on connection: PostgresConnection) async throws -> ReplayReport {
        let written = try await self.settle(word, on: connection)
        try await self.takeDeliveryID(on: connection)
        if written.isPassed {
            try await Self.pass(self.event.id, by: Settlement.replay.rawValue, on: connection)
            return try await self.report(.ignored, nil, written.further, on: connection)
        }
        guard try await Self.settledBy(self.event.id, on: connection) != nil else {
            return try await self.stay(
                .unmapped, self.source.whyUnmapped(word), written.further, on: connection)
        }
        _ = try await connection.query(QuarantinedBody.handOn(from: [self.event.id]))
        return try await self.report(.replayed, nil, written.further, on: connection)
    }

    /// Gives the delivery of a request that could not be read the id that it has now. So it does where the source's
    /// proofs have become of another kind. The sender's next try is known by it then. Where the ledger has that id for
    /// another event, all stays.
    private func takeDeliveryID(on connection: PostgresConnection) async throws {
        guard let id = self.reading.id, id.text != self.event.deliveryID,
            self.event.span == .request || id.isIn(self.event.deliveryID)
        else { return }
        let move = MovedID(source: self.source.id, former: self.event.deliveryID, now: id.text, sent: id.hidden)
        try await HiddenIDs.replace([move], isInTransaction: true, on: connection)
    }

    // MARK: What stays, and what is passed

    /// Writes down how today's mapping reads the event, so that lists tell the present reason. Index quarantine_pkey.
    private func stay(
        _ reason: QuarantineNote.Reason, _ words: String, _ further: [EventID], on connection: PostgresConnection
    ) async throws -> ReplayReport {
        _ = try await connection.query(
            """
            update dialtone.quarantine
            set reason = \(reason.text), pointer = \(reason.place), picks = \(self.reading.picks)::json,
                config_version = \(self.source.version)
            where event_id = \(self.event.id) and settled_at is null
            """)
        var report = try await self.report(.stays, words, further, on: connection)
        report.now = self.now(reason)
        return report
    }

    /// Settles an event that asks nothing. The ledger calls it ignored, so that its sender's next try is a duplicate. It
    /// names no user, so no erasure would find the sender's id, which may name one: that goes with the picks. Indexes
    /// events_pkey and quarantine_pkey.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    static func pass(_ event: EventID, by settlement: String, on connection: PostgresConnection) async throws {
        let passed = try await connection.query(
            """
            update dialtone.events set outcome = 'ignored', detail = null, sent_id = null
            where event_id = \(event) and outcome = 'quarantined' returning 1
            """)
        let ended = try await connection.query(
            """
            update dialtone.quarantine
            set settled_at = statement_timestamp(), settled_by = \(settlement), picks = null
            where event_id = \(event) and settled_at is null returning 1
            """)
        // Under the request's lock both rows are as they were found.
        guard passed.count == 1, ended.count == 1 else { throw IntakeError.unavailable }
        _ = try await connection.query(QuarantinedBody.handOn(from: [event]))
    }

    /// Returns what has settled the event; nil: it is open. Index quarantine_pkey.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    static func settledBy(_ event: EventID, on connection: PostgresConnection) async throws -> String? {
        let rows = try await connection.query(
            "select settled_by from dialtone.quarantine where event_id = \(event)")
        guard var columns = rows.first?.columns else { return nil }
        return try columns.next()
    }

    // MARK: The report

    func now(_ reason: QuarantineNote.Reason? = nil) -> ReplayReport.Now {
        ReplayReport.Now(
            picks: ReplayReport.picks(self.reading.picks) ?? [:], reason: reason?.text, place: reason?.place,
            version: self.source.version)
    }

    private func report(
        _ outcome: ReplayReport.Outcome, _ reason: String?, _ further: [EventID],
        on connection: PostgresConnection
    ) async throws -> ReplayReport {
        var report = self.event.report(outcome, reason, now: self.now())
        report.effect = try await ReplayEffect.read(self.event.id, further, on: connection)
        return report
    }
}
