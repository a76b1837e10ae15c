// SPDX-License-Identifier: Apache-2.0
// Tries what a request would come to: the writers' own work, in a transaction that is rolled back.

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
    /// The words whose organisation the mapping table says to ignore.
    private(set) var ignored: Set<EventID> = []
    /// The words of deliveries under whose ids the ledger has others. Nothing of such a delivery is taken.
    private(set) var reused: Set<EventID> = []
    /// The users whose wish would change.
    private(set) var changes: [SourceCheck.Change] = []
    /// The events by which they would.
    private var taken: Set<EventID> = []

    private static let attempts = 4

    /// Runs the deliveries in their order, so that each sees what the ones before have said. Throws `SourceError.busy`
    /// when their rows stay locked.
    ///
    /// Cancelled here: the transaction is rolled back.
    static func run(_ deliveries: [TakenDelivery.Words], in pool: PostgresPool) async throws -> SourceTrial {
        for _ in 1...Self.attempts {
            do { return try await Self.runOnce(deliveries, in: pool) } catch let error as PostgresError
                where error.isRetryable || error.isLockTimeout || error.isUniqueViolation
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
                trial.changes = try await trial.changesOfUsers(on: connection)
                _ = try await connection.query("rollback")
            } catch {
                _ = try? await connection.query("rollback", shielded: true)
                throw error
            }
            return trial
        }
    }

    /// Does what the writers do, also with what the ledger has of a delivery that came before.
    private mutating func run(_ delivery: TakenDelivery.Words, on connection: PostgresConnection) async throws {
        switch delivery {
        case .none: return
        case .plain(let delivery):
            let results = try await Self.results(of: delivery) { events, clock in
                let statements = EventInsert.statements(for: events, &clock)
                return try await NewDelivery.store(
                    events, by: statements, &clock, isInTransaction: true, on: connection)
            }
            try await self.note(results, of: delivery.events.map(\.id), showsTenant: false, on: connection)
        case .tracked(let delivery):
            let results = try await Self.results(of: delivery) { words, clock in
                let batch = TrackedStatement.batch(of: words, &clock)
                return try await TrackedDelivery.store(words, by: batch, &clock, isInTransaction: true, on: connection)
            }
            try await self.note(results, of: delivery.events.map(\.id), showsTenant: true, on: connection)
        }
    }

    /// A large delivery is stored in parts, and the first one that cannot be ends it.
    private static func results<Delivery: LineDelivery>(
        of delivery: Delivery,
        store: ([Delivery.Event], inout FairClock) async throws -> [EventID: EventResult]
    ) async throws -> [EventID: EventResult] {
        var clock = FairClock()
        var results: [EventID: EventResult] = [:]
        for part in delivery.parts where !results.values.contains(where: FirstTake.isReused) {
            results.merge(try await store(part.events, &clock)) { $1 }
        }
        return results
    }

    // MARK: What comes of it

    private mutating func note(
        _ results: [EventID: EventResult], of words: [EventID], showsTenant: Bool, on connection: PostgresConnection
    ) async throws {
        self.taken.formUnion(words)
        if results.values.contains(where: FirstTake.isReused) {
            self.reused.formUnion(words)
            for word in words { self.outcomes[word] = "another event was stored under this delivery's id" }
            return
        }
        let items = results.compactMapValues { try? $0.get() }
        let told = try await Self.told(of: items.values.map(\.eventID), on: connection)
        for word in words {
            guard let item = items[word] else { continue }
            self.note(item, told[item.eventID], showsTenant: showsTenant, at: word)
        }
    }

    private mutating func note(_ item: Receipt.Item, _ told: Told?, showsTenant: Bool, at word: EventID) {
        var (place, detail) = ("", told?.detail.map(Self.meaning(of:)))
        switch item.status {
        case .quarantined:
            self.quarantined.insert(word)
            if item.isBeyondFirstTake { detail = "the delivery came first without this word" }
        case .ignored:
            self.ignored.insert(word)
            detail = "the table says to ignore the organisation"
        default:
            // An event that was in quarantine and is settled keeps its id.
            if item.status == .accepted { self.taken.insert(item.eventID) }
            if showsTenant, let tenant = told?.tenant { place = " in tenant \(tenant)" }
        }
        self.outcomes[word] = "\(item.status.rawValue)\(place)\(detail.map { ": \($0)" } ?? "")"
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

    // MARK: Reading

    /// What the ledger has of an event.
    private struct Told {
        let tenant: String?
        let detail: String?
    }

    /// Index events_pkey.
    private static func told(
        of events: [EventID], on connection: PostgresConnection
    ) async throws -> [EventID: Told] {
        let rows = try await connection.query(
            """
            select event_id, nullif(tenant_id, '-'), detail from dialtone.events where event_id = any(\(events))
            """)
        var told: [EventID: Told] = [:]
        for row in rows {
            var columns = row.columns
            let event: EventID = try columns.next()
            told[event] = Told(tenant: try columns.next(), detail: try columns.next())
        }
        return told
    }

    /// The users whose wish the events have changed: those that the ledger names, and those of `effects`. Indexes
    /// events_pkey, effects_pkey and users_pkey.
    private func changesOfUsers(on connection: PostgresConnection) async throws -> [SourceCheck.Change] {
        let events = Array(self.taken)
        return try await connection.query(
            """
            with touched as materialized (
                select tenant_id, user_id from dialtone.events
                where event_id = any(\(events)) and user_id is not null
                union select tenant_id, user_id from dialtone.effects where event_id = any(\(events)))
            select owner.tenant_id, owner.user_id, owner.wanted from touched cross join lateral (
                select users.* from dialtone.users
                where users.tenant_id = touched.tenant_id and users.user_id = touched.user_id offset 0) owner
            where owner.cause_id = any(\(events)) order by 1, 2
            """
        ).map { row in
            var columns = row.columns
            return SourceCheck.Change(
                user: UserKey(tenant: try columns.next(), user: try columns.next()), wanted: try columns.next())
        }
    }
}
