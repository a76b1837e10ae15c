// SPDX-License-Identifier: Apache-2.0
// The group commit: what arrives while one commit is under way goes into the next, and each caller waits for its own.

import Foundation
import Logging
import Model
import Postgres
import Queue
import Synchronization

/// Writes events in batches. An idle writer commits at once; there is no timer.
final class EventWriter: Sendable {
    /// Rows in one batch at most, unless a single delivery has more.
    static let maximumBatch = 256
    /// Events waiting at most; beyond it senders are told to come back.
    static let maximumWaiting = 20_000
    /// … and of one source, so that it leaves room for the others.
    static let maximumWaitingOfSource = 5_000
    /// Waiting events that one batch is chosen from.
    private static let maximumScan = 2_048

    typealias Answer = @Sendable (Result<Receipt, IntakeError>) -> Void

    private struct Waiting {
        var delivery: NewDelivery
        var answer: Answer
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Their events.
        var count = 0
        var countOfSource: [SourceID: Int] = [:]
        var isStopped = false
    }

    private let pool: PostgresPool
    private let wakeup: Wakeup
    private let logger: Logger
    private let state = Mutex(State())
    private let arrived = Wakeup()
    private let isFailing = Atomic(false)

    init(pool: PostgresPool, wakeup: Wakeup, logger: Logger) {
        self.pool = pool
        self.wakeup = wakeup
        self.logger = logger
    }

    /// Calls `answer` once, after the commit. The delivery belongs to the writer from here on, whoever still waits.
    func write(_ delivery: NewDelivery, answer: @escaping Answer) {
        let isTaken = self.state.withLock { state in
            guard !state.isStopped, state.count < Self.maximumWaiting,
                state.countOfSource[delivery.source, default: 0] < Self.maximumWaitingOfSource
            else { return false }
            state.waiting.append(Waiting(delivery: delivery, answer: answer))
            state.count += delivery.events.count
            state.countOfSource[delivery.source, default: 0] += delivery.events.count
            return true
        }
        if isTaken { self.arrived.signal() } else { answer(.failure(.unavailable)) }
    }

    /// Cancelled here: the batch under way is committed, and what still waits is refused, so that its senders come
    /// again. The service cancels it after the last request was answered, when nothing waits.
    func run() async {
        var clock = FairClock()
        while !Task.isCancelled {
            let batch = self.takeBatch()
            if batch.isEmpty {
                await self.arrived.wait()
                continue
            }
            await self.commit(batch, &clock)
        }
        let refused = self.state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiting in refused { waiting.answer(.failure(.unavailable)) }
    }

    /// Takes the next deliveries in order, at most one per user: the second of a user must see what the first did.
    private func takeBatch() -> [Waiting] {
        self.state.withLock { state in
            var batch: [Waiting] = []
            var later: [Waiting] = []
            var rows = 0
            var users: Set<UserKey> = []
            var deliveries: Set<String> = []
            for waiting in state.waiting.prefix(Self.maximumScan) {
                let delivery = waiting.delivery
                let isNew = deliveries.insert(delivery.key).inserted
                let isAlone = users.isDisjoint(with: delivery.users)
                users.formUnion(delivery.users)
                let fits = batch.isEmpty || rows + delivery.events.count <= Self.maximumBatch
                if fits && isNew && isAlone {
                    batch.append(waiting)
                    rows += delivery.events.count
                    state.countOfSource[delivery.source, default: 0] -= delivery.events.count
                } else {
                    later.append(waiting)
                    if rows >= Self.maximumBatch { break }
                }
            }
            state.waiting = later + state.waiting.dropFirst(batch.count + later.count)
            state.count -= rows
            if state.waiting.isEmpty { state.countOfSource = [:] }
            return batch
        }
    }

    /// Commits a batch; one that fails on a bad row is halved until that row's delivery is alone.
    private func commit(_ batch: [Waiting], _ clock: inout FairClock) async {
        do {
            let answers = try await self.insertOrRepeat(batch.flatMap(\.delivery.events), &clock)
            var isWork = false
            for waiting in batch {
                let answer = waiting.delivery.answer(from: answers)
                if case .success(let receipt) = answer, receipt.status == .accepted { isWork = true }
                waiting.answer(answer)
            }
            if self.isFailing.exchange(false, ordering: .relaxed) { self.logger.notice("events are stored again") }
            if isWork { self.wakeup.signal() }
        } catch  where Self.isWorthHalving(error) && batch.count > 1 {
            let middle = batch.count / 2
            await self.commit(Array(batch[..<middle]), &clock)
            await self.commit(Array(batch[middle...]), &clock)
        } catch {
            // A COMMIT lost on the way may have happened: 503 makes the sender ask again, and the ledger knows the
            // answer.
            self.isFailing.store(true, ordering: .relaxed)
            self.logger.error(
                "events could not be stored", metadata: ["error": "\(error)", "deliveries": "\(batch.count)"])
            for waiting in batch { waiting.answer(.failure(.unavailable)) }
        }
    }

    /// Whether a row is at fault: data exceptions and broken constraints (SQLSTATE classes 22 and 23, PostgreSQL's
    /// appendix A). Every other error would meet each half too: a lock that is not given would cost its time limit again
    /// and again.
    private static func isWorthHalving(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError, error.code == .server, let state = error.sqlState else {
            return false
        }
        return state.hasPrefix("22") || state.hasPrefix("23")
    }

    /// Once more for the victim of a deadlock: a delivery that names its users several times, in an order of its own,
    /// can wait for a worker that waits for it.
    private func insertOrRepeat(_ events: [NewEvent], _ clock: inout FairClock) async throws -> [EventID: Answered] {
        do {
            return try await self.insert(events, &clock)
        } catch let error as PostgresError where error.isRetryable {
            return try await self.insert(events, &clock)
        }
    }

    /// What became of each event. One statement, one commit, one connection; a delivery that names a user more than
    /// once takes a further statement of the same transaction for each time, and a batch with a revoke ends with `amend`.
    /// Shielded: a batch belongs to the writer, not to its shutdown.
    private func insert(_ events: [NewEvent], _ clock: inout FairClock) async throws -> [EventID: Answered] {
        var waves: [[NewEvent]] = []
        var seen: [UserKey: Int] = [:]
        for event in events {
            let wave = event.change.map { seen[$0.user, default: 0] } ?? 0
            if let user = event.change?.user { seen[user] = wave + 1 }
            if wave == waves.count { waves.append([]) }
            waves[wave].append(event)
        }
        var statements: [SQL] = []
        for wave in waves { statements.append(EventStatement.insert(wave, places: clock.places(for: wave))) }
        if let amend = EventStatement.amend(events) { statements.append(amend) }
        return try await self.pool.withConnection { [statements] connection in
            var answers: [EventID: Answered] = [:]
            var unseen: [EventID: EventOutcome] = [:]
            for row in try await Self.rows(of: statements, on: connection) {
                var columns = row.columns
                let id: EventID = try columns.next()
                let outcome: EventOutcome = try columns.next()
                if let known: EventID = try columns.next() {
                    answers[id] = Self.answer(known, outcome, isSame: try columns.next())
                } else {
                    unseen[id] = outcome
                }
            }
            // Another node inserted the user meanwhile, with a newer word: the ledger says so too.
            let superseded = answers.values.compactMap { answer -> EventID? in
                guard case .success(let item) = answer, item.status == .superseded else { return nil }
                return item.eventID
            }
            if !superseded.isEmpty {
                _ = try await connection.query(EventStatement.supersede(superseded), shielded: true)
            }
            // Committed by another node while the statement waited for it: a new look sees it. An item that is nowhere
            // was not in the delivery that came first under this id.
            for event in events {
                guard let outcome = unseen[event.id] else { continue }
                let rows = try await connection.query(EventStatement.known(event), shielded: true)
                if var columns = rows.first?.columns {
                    answers[event.id] = Self.answer(try columns.next(), outcome, isSame: try columns.next())
                } else if event.item > 0 {
                    answers[event.id] = .failure(.deliveryReused)
                }
            }
            return answers
        }
    }

    private static func rows(of statements: [SQL], on connection: PostgresConnection) async throws -> [PostgresRow] {
        if statements.count == 1 { return Array(try await connection.query(statements[0], shielded: true)) }
        let answers = try await connection.pipeline([statements], shielded: true)[0]
        // The first to fail has the reason; the others were not run.
        return try answers.flatMap { try $0.get() }
    }
}

/// What one event came to.
private typealias Answered = Result<Receipt.Item, IntakeError>

extension EventWriter {
    fileprivate static func answer(_ id: EventID, _ outcome: EventOutcome, isSame: Bool) -> Answered {
        isSame ? .success(Receipt.Item(eventID: id, status: outcome)) : .failure(.deliveryReused)
    }
}

extension NewDelivery {
    fileprivate func answer(from answers: [EventID: Answered]) -> Result<Receipt, IntakeError> {
        do throws(IntakeError) {
            var items: [Receipt.Item] = []
            for event in self.events { items.append(try (answers[event.id] ?? .failure(.unavailable)).get()) }
            guard let receipt = Receipt(items) else { throw .unavailable }
            return .success(receipt)
        } catch {
            return .failure(error)
        }
    }
}

/// Places in the queue: start-time fair queueing. A tenant's next job comes no sooner than a step after its last, so a
/// tenant that imports many users lines up behind itself and not in front of others.
///
/// The step must be longer than a job of a busy tenant takes to be served, or its line falls behind the clock, and who
/// comes later with the clock's own time stands behind the whole of it.
struct FairClock {
    /// Microseconds between two jobs of one tenant, when they come faster than that: ten a second.
    static let step: Int64 = 100_000
    /// No place is further ahead of the clock: an hour.
    private static let horizon: Int64 = 3_600_000_000

    private var last: [String: Int64] = [:]

    /// The first place of each tenant in a batch; its later jobs follow a step apart.
    mutating func places(for events: [NewEvent]) -> [String: Int64] {
        var places: [String: Int64] = [:]
        for event in events {
            let clock = Int64(event.receivedAt.timeIntervalSince1970 * 1_000_000)
            let last = min(self.last[event.tenant] ?? 0, clock + Self.horizon)
            if places[event.tenant] == nil { places[event.tenant] = max(clock, last + Self.step) }
            self.last[event.tenant] = max(clock, last + Self.step)
        }
        if self.last.count > 10_000 {
            let oldest = places.values.min() ?? 0
            self.last = self.last.filter { $0.value > oldest }
        }
        return places
    }
}
