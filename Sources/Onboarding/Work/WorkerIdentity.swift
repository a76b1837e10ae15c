// SPDX-License-Identifier: Apache-2.0
// A worker's id holds for one era of the ledger. After a change of the server the worker is another one.

import Foundation
import Model
import Postgres
import Synchronization

/// The worker's id and the ledger's era, changed together.
///
/// A worker draws a new id whenever it meets another era, so after each change of the server. Commits may have been
/// lost, so epochs may come again. A result of the former id must not pass for one of the new. The evidence in it, a
/// provider id, is accepted all the same.
final class WorkerIdentity: Sendable {
    private let lease: Duration
    private let landingTime: Duration
    private let tagCapacity: Int
    private let presence: Presence?
    private let state = Mutex<(worker: WorkerID, era: Int64)?>(nil)

    init(lease: Duration, landingTime: Duration, tagCapacity: Int, presence: Presence?) {
        self.lease = lease
        self.landingTime = landingTime
        self.tagCapacity = tagCapacity
        self.presence = presence
    }

    /// The terms of a claim; nil until the server is known.
    var terms: ClaimTerms? {
        self.state.withLock { $0 }.map { identity in
            ClaimTerms(
                worker: identity.worker, era: identity.era, lease: self.lease, landingTime: self.landingTime,
                tagCapacity: self.tagCapacity)
        }
    }

    /// Whether the era is still the one this worker knows.
    func knows(_ era: Int64) -> Bool { self.state.withLock { $0?.era == era } }

    /// Forgets the server, so that nothing is claimed until it is known again.
    func forget() { self.state.withLock { $0 = nil } }

    /// Becomes a new worker of this era. The id is registered first, so that other nodes can tell when it is gone.
    ///
    /// Cancelled here: the worker claims nothing until the next tick of housekeeping.
    func meet(_ era: Int64, on connection: PostgresConnection) async throws {
        let worker = WorkerID(rawValue: UUID())
        if let presence { _ = try await connection.query(Presence.register("\(worker)", key: presence.key)) }
        self.state.withLock { $0 = (worker, era) }
    }
}
