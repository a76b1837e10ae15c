// SPDX-License-Identifier: Apache-2.0
// Takes in the deliveries of every sender but the canonical one: proof, mapping, writers, and quarantine.

import Counts
import Foundation
import Model

/// What was proven is never answered with 4xx: many senders take that for final. What cannot be used is kept for an
/// operator.
final class MappedIntake: Sendable {
    private let writers: MappedWriters
    private let room = BodyRoom()
    let late = LateAnswers()

    init(
        plain: EventWriter, tracked: TrackedWriter, quarantine: Quarantine, tally: Tally,
        counts: TenantCounts = TenantCounts()
    ) {
        self.writers = MappedWriters(
            plain: plain, tracked: tracked, quarantine: quarantine, tally: tally, counts: counts)
    }

    /// Takes one request in. `answer` is called once, from any thread, perhaps before this returns. `begun` is when the
    /// request came.
    func receive(
        _ delivery: Delivery, from source: MappedSource, begun: ContinuousClock.Instant,
        answer: @escaping WriteCompletion
    ) {
        let answer = source.mapping.answers.within.map { self.late.answer(by: begun + $0, answer) } ?? answer
        do throws(IntakeError) {
            let proven = try Self.proven(delivery, from: source)
            let (room, budget, bytes) = (self.room, source.budget, delivery.body.count)
            guard room.take(bytes, of: budget) else {
                budget.countRefused()
                throw .busy(retryAfter: 1)
            }
            let answering: WriteCompletion = { result in
                room.giveBack(bytes, of: budget)
                answer(result)
            }
            if let wait = budget.take() {
                return answering(.failure(.busy(retryAfter: Int(wait.components.seconds) + 1)))
            }
            let request = ProvenRequest(
                headers: delivery.headers, body: delivery.body, receivedAt: delivery.receivedAt,
                provenID: proven.deliveryID, claims: proven.claims)
            let taken = TakenRequest(
                request, from: source, secret: proven.secretID,
                keepsUnmapped: self.writers.quarantine.hasRoom(source.id))
            source.budget.takeMore(taken.charge - 1)
            if taken.itemCount == 0 { source.budget.countIgnored() }
            RequestWriting(taken, by: self.writers, lengths: delivery.lengths, answer: answering).begin()
        } catch {
            answer(.failure(error))
        }
    }

    static func proven(_ delivery: Delivery, from source: MappedSource) throws(IntakeError) -> Proven {
        do {
            return try source.proof.verify(
                headers: delivery.headers, body: delivery.body, now: delivery.receivedAt)
        } catch {
            throw error.kind == .keysUnavailable ? .keysUnavailable : .badProof(error)
        }
    }

    /// Fetches the keys that the sender publishes, where they are missing or old, or where the delivery may be signed
    /// by a newer one.
    static func prepareKeys(of source: MappedSource, for delivery: Delivery) async {
        let (proof, now) = (source.proof, delivery.receivedAt)
        guard source.compiled.takesPublishedKeys else { return }
        if proof.areKeysDue(at: now) { await proof.refreshKeys(now: now) }
        do {
            _ = try proof.verify(headers: delivery.headers, body: delivery.body, now: now)
        } catch {
            if proof.mayHoldWithNewKeys(error, now: now) { await proof.refreshKeys(now: now) }
        }
    }

    /// Runs the writers of tracked sources and of quarantine until the task is cancelled and what is under way is
    /// committed.
    func run() async {
        let writers = self.writers
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.late.run() }
            group.addTask { await writers.tracked.run() }
            group.addTask { await writers.quarantine.run() }
        }
    }
}

/// Each kind of source has a writer. The plain one is that of the canonical event too.
struct MappedWriters: Sendable {
    let plain: EventWriter
    let tracked: TrackedWriter
    let quarantine: Quarantine
    /// Of what is not stored.
    let tally: Tally
    /// Of each tenant.
    let counts: TenantCounts
}
