// SPDX-License-Identifier: Apache-2.0
// The group commit: what arrives while one commit is under way goes into the next, and each caller waits for its own.
//
// A commit waits for the disk once, whether it holds one event or many, so the writer commits together what waits.
// While it does, the next batch gathers. An event is answered only after its commit, so nothing that a sender believes
// stored is lost. A bad row fails its whole batch; halving finds it, so that the others are stored without it.

import Counts
import Foundation
import Logging
import Model
import Postgres
import Queue
import Synchronization
import Telemetry
import Vault

/// Writes the events of deliveries in batches. An idle writer commits at once; there is no timer. Deliveries of one kind
/// have a writer of their own: the statements of two kinds in one transaction would lock users twice, and out of order.
final class GroupCommit<Delivery: LineDelivery>: Sendable {
    /// Rows in one batch at most, unless a single delivery has more.
    static var maximumBatch: Int { 256 }
    /// Events waiting at most. Beyond it senders are told to come back.
    static var maximumWaiting: Int { 20_000 }
    /// Events of one source waiting at most, and of one tenant, so that it leaves room for the others.
    static var maximumWaitingOfSource: Int { 5_000 }
    /// Deliveries of one source waiting at most for one user, or under one id.
    static var maximumWaitingAlike: Int { 16 }

    private let pool: PostgresPool
    private let wakeup: Wakeup
    private let logger: Logger
    private let metrics: Measurements
    /// Nil: no source of this process keeps names.
    private let names: NameSealing?
    private let counts: TenantCounts
    private let line = Mutex(
        DeliveryLine<Delivery>(
            limits: LineLimits(
                batch: GroupCommit.maximumBatch, waiting: GroupCommit.maximumWaiting,
                waitingOfSource: GroupCommit.maximumWaitingOfSource,
                waitingOfTenant: GroupCommit.maximumWaitingOfSource, waitingAlike: GroupCommit.maximumWaitingAlike)))
    private let arrived = Wakeup()
    private let isFailing = Atomic(false)

    /// `wakeup` is signalled after a commit that has left jobs to do. `vault` seals names; nil: none is written.
    init(
        pool: PostgresPool, wakeup: Wakeup, logger: Logger, metrics: Measurements = Measurements(),
        vault: Vault? = nil, counts: TenantCounts = TenantCounts()
    ) {
        self.pool = pool
        self.wakeup = wakeup
        self.logger = logger
        self.metrics = metrics
        self.names = vault.map { NameSealing(vault: $0, logger: logger) }
        self.counts = counts
    }

    /// Calls `completion` once, after the commit or when there is no room. Returns whether there was room. From there
    /// on the delivery belongs to the writer, whether or not its caller still waits.
    @discardableResult
    func write(_ delivery: Delivery, completion: @escaping WriteCompletion) -> Bool {
        if let refusal = self.line.withLock({ $0.add(delivery, completion: completion) }) {
            completion(.failure(refusal))
            return false
        }
        self.arrived.signal()
        return true
    }

    /// Commits batch after batch.
    ///
    /// Cancelled here: the batch under way is committed, and what still waits is refused, so that its senders come
    /// again. The service cancels it after the last request was answered, when nothing waits.
    func run() async {
        var clock = FairClock()
        while !Task.isCancelled {
            let batch = self.line.withLock { $0.takeBatch() }
            if batch.isEmpty {
                await self.arrived.wait()
                continue
            }
            await self.commit(batch, &clock)
        }
        let refused = self.line.withLock { $0.close() }
        for entry in refused { entry.completion(.failure(.unavailable)) }
    }

    /// Commits a batch and tells its senders. A batch that fails on a bad row is halved until that row's delivery is
    /// alone. Any other error would meet each half too: a lock that is not given would cost its time limit each time.
    private func commit(_ batch: [DeliveryLine<Delivery>.Entry], _ clock: inout FairClock) async {
        do {
            let events = try await self.sealed(batch.flatMap(\.delivery.events))
            let began = ContinuousClock.now
            let results = try await self.storeOrRepeat(events, &clock)
            self.metrics.commitDuration.observe(ContinuousClock.now - began)
            self.metrics.commitEvents.observe(Double(events.count))
            self.count(events, results)
            var isWork = false
            for entry in batch {
                let result = entry.delivery.receipt(from: results)
                if case .success(let receipt) = result, receipt.status == .accepted { isWork = true }
                entry.completion(result)
            }
            if self.isFailing.exchange(false, ordering: .relaxed) { self.logger.notice("events are stored again") }
            if isWork { self.wakeup.signal() }
        } catch let error as PostgresError where error.isRefusedForGood && batch.count > 1 {
            let middle = batch.count / 2
            await self.commit(Array(batch[..<middle]), &clock)
            await self.commit(Array(batch[middle...]), &clock)
        } catch let error as PostgresError where error.isRefusedForGood {
            // It would be refused each time it came again, so its sender is told that it is the body.
            self.logger.warning("an event was refused by the database", metadata: ["error": "\(error)"])
            for entry in batch { entry.completion(.failure(.unusable(.wrongValue(Self.refusedValue)))) }
        } catch {
            // A COMMIT lost on the way may have happened. A 503 makes the sender ask again, and then the ledger knows.
            self.isFailing.store(true, ordering: .relaxed)
            self.logger.error(
                "events could not be stored", metadata: ["error": "\(error)", "deliveries": "\(batch.count)"])
            for entry in batch { entry.completion(.failure(.unavailable)) }
        }
    }

    private func sealed(_ events: [Delivery.Event]) async throws -> [Delivery.Event] {
        guard let names = self.names else { return events }
        return try await Delivery.seal(events, by: names, in: self.pool)
    }

    /// Counts what became of the events of tenants that are known. A word that goes into quarantine afterwards is counted
    /// there.
    private func count(_ events: [Delivery.Event], _ results: [EventID: EventResult]) {
        var counted: [(tenant: TenantID, event: TenantEvent)] = []
        for event in events {
            guard case .success(let item)? = results[event.id], !item.isBeyondFirstTake else { continue }
            guard let tenant = event.lineTenant ?? item.tenant else { continue }
            counted.append((tenant, .received(item.status)))
        }
        self.counts.add(counted)
    }

    private static var refusedValue: InvalidValue {
        InvalidValue("data", "holds a value that the database cannot store")
    }

    /// Stores, and again as the victim of a deadlock. A delivery that names its users several times, in an order of its
    /// own, can wait for a worker that waits for it.
    private func storeOrRepeat(
        _ events: [Delivery.Event], _ clock: inout FairClock
    ) async throws -> [EventID: EventResult] {
        for _ in 0..<Delivery.repeats {
            do {
                return try await Delivery.store(events, &clock, in: self.pool)
            } catch let error as PostgresError where error.isRetryable {
                continue
            }
        }
        return try await Delivery.store(events, &clock, in: self.pool)
    }
}
