// SPDX-License-Identifier: Apache-2.0
// The parts of one batch's insert: its statements, how their rows are read, and what other nodes did meanwhile.

import Foundation
import Model
import Postgres
import Queue

/// What became of one event.
typealias EventResult = Result<Receipt.Item, IntakeError>

/// Works on one connection, in the order of the functions below.
enum EventInsert {
    /// Returns one statement, as a rule. `amend` follows the inserts of a batch with a revoke, and the names come last.
    static func statements(
        for events: [NewEvent], settling settlement: Settlement? = nil, _ clock: inout FairClock
    ) -> [SQL] {
        Self.inserts(of: events, settling: settlement, &clock)
            + [EventStatement.amend(events), NameStatement.write(events)].compactMap(\.self)
    }

    /// A statement has one row for a user at most. A delivery that names a user more than once takes a further statement
    /// for each time.
    static func inserts(
        of events: [NewEvent], settling settlement: Settlement? = nil, _ clock: inout FairClock
    ) -> [SQL] {
        var rounds: [[NewEvent]] = []
        var seen: [UserKey: Int] = [:]
        for event in events {
            let round = seen[event.change.user, default: 0]
            seen[event.change.user] = round + 1
            if round == rounds.count { rounds.append([]) }
            rounds[round].append(event)
        }
        var statements: [SQL] = []
        for round in rounds {
            let places = clock.places(for: round.map { (tenant: $0.tenant, receivedAt: $0.receivedAt) })
            statements.append(EventStatement.insert(round, settling: settlement, places: places))
        }
        return statements
    }

    /// Runs the statements in one transaction and returns their rows.
    static func rows(of statements: [SQL], on connection: PostgresConnection) async throws -> [PostgresRow] {
        if statements.count == 1 { return Array(try await connection.query(statements[0], shielded: true)) }
        let answers = try await connection.pipeline([statements], shielded: true)[0]
        // The first to fail has the reason; the others were not run.
        return try answers.flatMap { try $0.get() }
    }

    /// Reads the rows of `EventStatement.insert`: event id, outcome, id in the ledger, whether the ledger's event says
    /// the same. `unseen` holds the events that another node committed while the statement ran: they have no id in the
    /// ledger that the statement could see.
    static func read(
        _ rows: [PostgresRow]
    ) throws -> (decided: [EventID: EventResult], unseen: [EventID: EventOutcome]) {
        var decided: [EventID: EventResult] = [:]
        var unseen: [EventID: EventOutcome] = [:]
        for row in rows {
            var columns = row.columns
            let id: EventID = try columns.next()
            let outcome: EventOutcome = try columns.next()
            if let known: EventID = try columns.next() {
                decided[id] = Self.result(known, outcome, isSame: try columns.next())
            } else {
                unseen[id] = outcome
            }
        }
        return (decided, unseen)
    }

    /// Another node may have inserted a user meanwhile, from a newer event. The ledger then calls ours superseded too.
    static func markSuperseded(
        _ results: [EventID: EventResult], on connection: PostgresConnection
    ) async throws {
        let superseded = results.values.compactMap { result -> EventID? in
            guard case .success(let item) = result, item.status == .superseded else { return nil }
            return item.eventID
        }
        guard !superseded.isEmpty else { return }
        _ = try await connection.query(LedgerLookup.supersede(superseded), shielded: true)
    }

    /// Returns what became of an event that another node committed while our statement waited for it: a new look sees
    /// it. An item that is nowhere was not in the delivery that came first under this id. Nil when nothing is known.
    static func resultElsewhere(
        of event: NewEvent, _ outcome: EventOutcome, on connection: PostgresConnection
    ) async throws -> EventResult? {
        let rows = try await connection.query(LedgerLookup.known(event), shielded: true)
        guard var columns = rows.first?.columns else { return event.item > 0 ? .failure(.deliveryReused) : nil }
        let id: EventID = try columns.next()
        let isSame: Bool = try columns.next()
        let isInQuarantine: Bool = try columns.next()
        return Self.result(id, isInQuarantine ? .quarantined : outcome, isSame: isSame)
    }

    private static func result(_ id: EventID, _ outcome: EventOutcome, isSame: Bool) -> EventResult {
        isSame ? .success(Receipt.Item(eventID: id, status: outcome)) : .failure(.deliveryReused)
    }
}
