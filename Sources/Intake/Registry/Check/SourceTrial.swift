// SPDX-License-Identifier: Apache-2.0
// Tries what a request would come to: the writers' own statements, in a transaction that is rolled back.

import Model
import Postgres
import Queue

/// What the words of a request would come to. Locks are held for as long as it takes, as for any delivery, but in the
/// body's order and not in the writers'. So a trial that meets a writer gives way, and is tried again.
struct SourceTrial: Sendable {
    /// By the words' own ids. A word without one comes to nothing.
    private(set) var outcomes: [EventID: String] = [:]
    /// The words that would be kept in quarantine.
    private(set) var quarantined: Set<EventID> = []
    /// The users whose wish would change.
    private(set) var changes: [SourceCheck.Change] = []

    private static let attempts = 4

    /// Runs the deliveries in their order, so that each sees what the ones before have said. Throws `SourceError.busy`
    /// when their rows stay locked.
    ///
    /// Cancelled here: the transaction is rolled back.
    static func run(_ deliveries: [TakenDelivery.Words], in pool: PostgresPool) async throws -> SourceTrial {
        for _ in 1...Self.attempts {
            do { return try await Self.runOnce(deliveries, in: pool) } catch let error as PostgresError
                where error.isRetryable || error.isLockTimeout
            {
                continue
            }
        }
        throw SourceError.busy
    }

    private static func runOnce(_ deliveries: [TakenDelivery.Words], in pool: PostgresPool) async throws -> SourceTrial
    {
        try await pool.withConnection { connection in
            _ = try await connection.query("begin isolation level read committed")
            var trial = SourceTrial()
            do {
                // Nobody's sign-up waits for long: not behind a lock that this waits for, and not for a command whose
                // process or machine stands still. The server then ends the session.
                _ = try await connection.query("set local lock_timeout = '1s'")
                _ = try await connection.query("set local idle_in_transaction_session_timeout = '2s'")
                for delivery in deliveries { try await trial.run(delivery, on: connection) }
                _ = try await connection.query("rollback")
            } catch {
                _ = try? await connection.query("rollback", shielded: true)
                throw error
            }
            return trial
        }
    }

    private mutating func run(_ delivery: TakenDelivery.Words, on connection: PostgresConnection) async throws {
        switch delivery {
        case .none: return
        case .tracked(let words): try await self.run(words.events, on: connection)
        case .plain(let events): try await self.run(events.events, on: connection)
        }
    }

    /// An event that is in quarantine already is settled, as it is when its sender sends it again.
    private mutating func run(_ words: [NewWord], on connection: PostgresConnection) async throws {
        var touched: [UserKey] = []
        var known: [EventID: EventID] = [:]
        var repeated: [NewWord] = []
        let first = try await Self.results(of: words, on: connection)
        for word in words {
            guard let result = first[word.id] else { continue }
            self.note(result, at: word.id)
            if let tenant = result.tenant { touched.append(UserKey(tenant: tenant, user: word.word.person)) }
            guard result.isInQuarantine, result.isSame, let event = result.known, known[event] == nil else { continue }
            known[event] = word.id
            repeated.append(word.replaying(event))
        }
        if !repeated.isEmpty {
            for (event, result) in try await Self.results(of: repeated, settling: .resend, on: connection) {
                guard let id = known[event], result.outcome != .ignored else { continue }
                self.note(result, at: id)
                if let tenant = result.tenant, let word = repeated.first(where: { $0.id == event }) {
                    touched.append(UserKey(tenant: tenant, user: word.word.person))
                }
            }
        }
        try await self.noteChanges(by: words.map(\.id) + known.keys, touched, on: connection)
    }

    private static func results(
        of words: [NewWord], settling settlement: Settlement? = nil, on connection: PostgresConnection
    ) async throws -> [EventID: TrackedResult] {
        var clock = FairClock()
        let batch = TrackedStatement.batch(of: words, settling: settlement, &clock)
        var results: [EventID: TrackedResult] = [:]
        for (place, statement) in batch.statements.enumerated() {
            let rows = try await connection.query(statement)
            guard batch.writes.contains(place) else { continue }
            for row in rows {
                let result = try TrackedResult(row)
                results[result.id] = result
            }
        }
        return results
    }

    private mutating func run(_ events: [NewEvent], on connection: PostgresConnection) async throws {
        var known: [EventID: EventID] = [:]
        var repeated: [NewEvent] = []
        let first = try await Self.results(of: events, on: connection)
        for event in events {
            guard let result = first[event.id] else { continue }
            self.note(result, at: event.id)
            guard case .success(let item) = result, item.status == .quarantined, known[item.eventID] == nil else {
                continue
            }
            known[item.eventID] = event.id
            repeated.append(event.replaying(item.eventID))
        }
        if !repeated.isEmpty {
            for (event, result) in try await Self.results(of: repeated, settling: .resend, on: connection) {
                if let id = known[event] { self.note(result, at: id) }
            }
        }
        try await self.noteChanges(by: events.map(\.id) + known.keys, events.map(\.change.user), on: connection)
    }

    private static func results(
        of events: [NewEvent], settling settlement: Settlement? = nil, on connection: PostgresConnection
    ) async throws -> [EventID: EventResult] {
        var clock = FairClock()
        var rows: [PostgresRow] = []
        for statement in EventInsert.statements(for: events, settling: settlement, &clock) {
            rows += Array(try await connection.query(statement))
        }
        return try EventInsert.read(rows).decided
    }

    private mutating func note(_ result: TrackedResult, at id: EventID) {
        if result.outcome != .ignored && !result.isSame { return self.noteReused(id) }
        let isQuarantined = result.outcome == .quarantined || result.isInQuarantine
        if isQuarantined { self.quarantined.insert(id) } else { self.quarantined.remove(id) }
        let place = result.tenant.map { " in tenant \($0)" } ?? ""
        let detail = result.detail.map { ": \(Self.meaning(of: $0))" } ?? ""
        let ignored = result.outcome == .ignored ? ": the table says to ignore the organisation" : ""
        let outcome = isQuarantined ? EventOutcome.quarantined : result.outcome
        self.outcomes[id] = "\(outcome.rawValue)\(place)\(detail)\(ignored)"
    }

    private mutating func note(_ result: EventResult, at id: EventID) {
        guard case .success(let item) = result else { return self.noteReused(id) }
        if item.status == .quarantined { self.quarantined.insert(id) } else { self.quarantined.remove(id) }
        self.outcomes[id] = item.status.rawValue
    }

    private mutating func noteReused(_ id: EventID) {
        self.quarantined.insert(id)
        self.outcomes[id] = "quarantined: another event was stored under this delivery's id"
    }

    private static func meaning(of detail: String) -> String {
        switch detail {
        case "unmapped": "the organisation is not mapped; see: dialtone source map add"
        case "waits": "the person waits for a membership"
        case "invited": "an invitation gives nothing before it is accepted"
        case "suspended": "the person is suspended"
        case "held": "an operator has revoked the user"
        case "other_source": "another source's word on the user stands"
        default: detail
        }
    }

    /// The users whose wish these events have changed: those that the words name, and those of `effects`. Indexes
    /// effects_pkey and users_pkey.
    private mutating func noteChanges(
        by events: [EventID], _ touched: [UserKey], on connection: PostgresConnection
    ) async throws {
        let rows = try await connection.query(
            """
            with touched as materialized (
                select tenant_id, user_id
                from unnest(\(touched.map(\.tenant)), \(touched.map(\.user.rawValue))) as t (tenant_id, user_id)
                union select tenant_id, user_id from dialtone.effects where event_id = any(\(events)))
            select owner.tenant_id, owner.user_id, owner.wanted from touched cross join lateral (
                select users.* from dialtone.users
                where users.tenant_id = touched.tenant_id and users.user_id = touched.user_id offset 0) owner
            where owner.cause_id = any(\(events)) order by 1, 2
            """)
        for row in rows {
            var columns = row.columns
            self.changes.append(
                SourceCheck.Change(
                    user: UserKey(tenant: try columns.next(), user: try columns.next()), wanted: try columns.next()))
        }
    }
}
