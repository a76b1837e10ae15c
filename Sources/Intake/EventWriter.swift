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
    /// Rows in one statement at most.
    static let maximumBatch = 256
    /// Events waiting at most; beyond it senders are told to come back.
    static let maximumWaiting = 20_000
    /// … and of one source, so that it leaves room for the others.
    static let maximumWaitingOfSource = 5_000
    /// Waiting events that one batch is chosen from.
    private static let maximumScan = 2_048

    typealias Answer = @Sendable (Result<Receipt, IntakeError>) -> Void

    private struct Waiting {
        var event: NewEvent
        var answer: Answer
    }

    private struct State {
        var waiting: [Waiting] = []
        var waitingOfSource: [SourceID: Int] = [:]
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

    /// Calls `answer` once, after the commit. The event belongs to the writer from here on, whoever still waits.
    func write(_ event: NewEvent, answer: @escaping Answer) {
        let isTaken = self.state.withLock { state in
            guard !state.isStopped, state.waiting.count < Self.maximumWaiting,
                state.waitingOfSource[event.source, default: 0] < Self.maximumWaitingOfSource
            else { return false }
            state.waiting.append(Waiting(event: event, answer: answer))
            state.waitingOfSource[event.source, default: 0] += 1
            return true
        }
        if isTaken { self.arrived.signal() } else { answer(.failure(.unavailable)) }
    }

    /// Cancelled here: the batch under way is committed, and what still waits is refused, so that its senders come again.
    /// The service cancels it after the last request was answered, when nothing waits.
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

    /// Takes the next events in order, at most one per user: the second of a user must see what the first did.
    private func takeBatch() -> [Waiting] {
        self.state.withLock { state in
            var batch: [Waiting] = []
            var later: [Waiting] = []
            var users: Set<UserKey> = []
            var deliveries: Set<String> = []
            for waiting in state.waiting.prefix(Self.maximumScan) {
                let isNew = deliveries.insert("\(waiting.event.source.rawValue)\(waiting.event.deliveryID)").inserted
                let isAlone = waiting.event.signUp.map { users.insert($0.user).inserted } ?? true
                if batch.count < Self.maximumBatch && isNew && isAlone {
                    batch.append(waiting)
                } else {
                    later.append(waiting)
                    if batch.count == Self.maximumBatch { break }
                }
            }
            state.waiting = later + state.waiting.dropFirst(batch.count + later.count)
            for waiting in batch { state.waitingOfSource[waiting.event.source, default: 1] -= 1 }
            if state.waiting.isEmpty { state.waitingOfSource = [:] }
            return batch
        }
    }

    /// Commits a batch; one that fails on a bad row is halved until that row is alone.
    private func commit(_ batch: [Waiting], _ clock: inout FairClock) async {
        do {
            let receipts = try await self.insert(batch.map(\.event), &clock)
            var isWork = false
            for waiting in batch {
                let answer = receipts[waiting.event.id] ?? .failure(.unavailable)
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
            // A COMMIT lost on the way may have happened: 503 makes the sender ask again, and the ledger knows the answer.
            self.isFailing.store(true, ordering: .relaxed)
            self.logger.error(
                "events could not be stored", metadata: ["error": "\(error)", "events": "\(batch.count)"])
            for waiting in batch { waiting.answer(.failure(.unavailable)) }
        }
    }

    private static func isWorthHalving(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        return error.code == .server && !error.isUnavailable
    }

    /// One statement, one commit, one connection. Shielded: a batch belongs to the writer, not to its shutdown.
    private func insert(
        _ events: [NewEvent], _ clock: inout FairClock
    ) async throws -> [EventID: Result<Receipt, IntakeError>] {
        let statement = EventStatement.insert(events, places: clock.places(for: events))
        return try await self.pool.withConnection { connection in
            var receipts: [EventID: Result<Receipt, IntakeError>] = [:]
            var unseen: [EventID: EventOutcome] = [:]
            for row in try await connection.query(statement, shielded: true) {
                var columns = row.columns
                let id: EventID = try columns.next()
                let outcome: EventOutcome = try columns.next()
                if let known: EventID = try columns.next() {
                    receipts[id] = Self.answer(known, outcome, isSame: try columns.next())
                } else {
                    unseen[id] = outcome
                }
            }
            // Committed by another node while the statement waited for it: a new look sees it.
            for event in events {
                guard let outcome = unseen[event.id] else { continue }
                let rows = try await connection.query(EventStatement.known(event), shielded: true)
                guard var columns = rows.first?.columns else { continue }
                receipts[event.id] = Self.answer(try columns.next(), outcome, isSame: try columns.next())
            }
            return receipts
        }
    }
}

extension EventWriter {
    fileprivate static func answer(_ id: EventID, _ outcome: EventOutcome, isSame: Bool) -> Result<Receipt, IntakeError>
    {
        isSame ? .success(Receipt(eventID: id, status: outcome)) : .failure(.deliveryReused)
    }
}

/// Places in the queue: start-time fair queueing. A tenant's next job comes no sooner than a step after its last, so a
/// tenant that imports many users lines up behind itself and not in front of others.
struct FairClock {
    /// Microseconds between two jobs of one tenant, when they come faster than that.
    static let step: Int64 = 1000

    private var last: [String: Int64] = [:]

    /// The first place of each tenant in a batch; its later jobs follow a step apart.
    mutating func places(for events: [NewEvent]) -> [String: Int64] {
        var places: [String: Int64] = [:]
        for event in events {
            let clock = Int64(event.receivedAt.timeIntervalSince1970 * 1_000_000)
            let last = self.last[event.tenant] ?? 0
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
