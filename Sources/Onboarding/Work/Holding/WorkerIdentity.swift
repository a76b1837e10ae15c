// SPDX-License-Identifier: Apache-2.0
// A worker's ids hold for one era of the ledger. After a change of the server the worker is another one.

import Foundation
import Model
import Postgres
import Synchronization

/// The worker's ids and the ledger's era, changed together.
///
/// A worker draws new ids whenever it meets another era, so after each change of the server. Commits may have been
/// lost, so epochs may come again. A result of a former id must not pass for one of the new. The evidence in it, a
/// provider id, is accepted all the same.
///
/// Each loop claims under an id of its own. A loop that does not know what became of a claim draws a new one, and puts
/// back what the former one holds without a run (`PutBack`).
final class WorkerIdentity: Sendable {
    private let lease: Duration
    private let landingTime: Duration
    private let tagCapacity: Int
    private let presence: Presence?
    private let state = Mutex<Known?>(nil)

    /// The loops that claim jobs.
    enum Loop { case queue, looks }

    private struct Known {
        var queue: WorkerID
        var looks: WorkerID
        let era: Int64

        subscript(_ loop: Loop) -> WorkerID {
            get { loop == .queue ? self.queue : self.looks }
            set { if loop == .queue { self.queue = newValue } else { self.looks = newValue } }
        }

        var all: [WorkerID] { [self.queue, self.looks] }
    }

    init(lease: Duration, landingTime: Duration, tagCapacity: Int, presence: Presence?) {
        self.lease = lease
        self.landingTime = landingTime
        self.tagCapacity = tagCapacity
        self.presence = presence
    }

    /// The terms of a claim out of the queue; nil until the server is known.
    var terms: ClaimTerms? { self.terms(of: .queue) }

    /// The terms of a loop's claim; nil until the server is known.
    func terms(of loop: Loop) -> ClaimTerms? {
        self.state.withLock { $0 }.map { known in
            ClaimTerms(
                worker: known[loop], era: known.era, lease: self.lease, landingTime: self.landingTime,
                tagCapacity: self.tagCapacity)
        }
    }

    /// Whether the era is still the one this worker knows.
    func knows(_ era: Int64) -> Bool { self.state.withLock { $0?.era == era } }

    /// Whether one of the ids is this worker's own.
    func isAmong(_ workers: [WorkerID]) -> Bool {
        self.state.withLock { $0 }.map { known in known.all.contains { workers.contains($0) } } ?? false
    }

    /// Forgets the server, so that nothing is claimed until it is known again.
    func forget() { self.state.withLock { $0 = nil } }

    /// Becomes a new worker of this era. The ids are registered first, so that other nodes can tell when it is gone.
    ///
    /// Cancelled here: the worker claims nothing until the next tick of housekeeping.
    func meet(_ era: Int64, on connection: PostgresConnection) async throws {
        let known = Known(queue: Self.draw(), looks: Self.draw(), era: era)
        for worker in known.all { try await self.register(worker, on: connection) }
        self.state.withLock { $0 = known }
    }

    /// Gives the loop a new id in the place of the one in `terms`, which claims no more. Does nothing when the worker
    /// has met another era meanwhile, and is another one already.
    ///
    /// Cancelled here: the loop keeps its id, claims nothing, and asks again.
    func renew(_ loop: Loop, after terms: ClaimTerms, on connection: PostgresConnection) async throws {
        let worker = Self.draw()
        try await self.register(worker, on: connection)
        let known = self.state.withLock { state -> Known? in
            guard state?.era == terms.era, state?[loop] == terms.worker else { return nil }
            state?[loop] = worker
            return state
        }
        guard let presence, let known else { return }
        _ = try await connection.query(Presence.forgetFormer(of: presence.key, except: known.all))
    }

    private func register(_ worker: WorkerID, on connection: PostgresConnection) async throws {
        guard let presence else { return }
        _ = try await connection.query(Presence.register("\(worker)", key: presence.key))
    }

    private static func draw() -> WorkerID { WorkerID(rawValue: UUID()) }
}
