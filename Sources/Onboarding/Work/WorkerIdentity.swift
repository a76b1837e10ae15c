// SPDX-License-Identifier: Apache-2.0
// Who this worker is, for as long as the server it knows is the one that answers; after a change it is somebody else.

import Foundation
import Model
import Postgres
import Synchronization

/// The worker's id and the server's start, changed together.
///
/// A worker draws a new id whenever it meets another server, or another start of it: commits may have been lost, epochs
/// may come again, and a result of the former life must not pass for one of the new. What it proves (a provider id) is
/// accepted all the same.
final class WorkerIdentity: Sendable {
    private let lease: Duration
    private let landingTime: Duration
    private let tagCapacity: Int
    private let presence: Presence?
    private let state = Mutex<(worker: WorkerID, started: Int64)?>(nil)

    init(lease: Duration, landingTime: Duration, tagCapacity: Int, presence: Presence?) {
        self.lease = lease
        self.landingTime = landingTime
        self.tagCapacity = tagCapacity
        self.presence = presence
    }

    /// What a claim needs; nil until the server is known.
    var terms: ClaimTerms? {
        self.state.withLock { $0 }.map { identity in
            ClaimTerms(
                worker: identity.worker, started: identity.started, lease: self.lease, landingTime: self.landingTime,
                tagCapacity: self.tagCapacity)
        }
    }

    /// Whether the server is still the one this worker knows.
    func knows(_ started: Int64) -> Bool { self.state.withLock { $0?.started == started } }

    /// Forgets the server, so that nothing is claimed until it is known again.
    func forget() { self.state.withLock { $0 = nil } }

    /// Becomes a new worker of this server; registered first, so that others can tell when it is gone.
    func meet(_ started: Int64, on connection: PostgresConnection) async throws {
        let worker = WorkerID(rawValue: UUID())
        if let presence { _ = try await connection.query(Presence.register("\(worker)", key: presence.key)) }
        self.state.withLock { $0 = (worker, started) }
    }
}
