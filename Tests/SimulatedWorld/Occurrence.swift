// SPDX-License-Identifier: Apache-2.0
// What can happen in a simulated life, and the messages under way in it.

import Lifecycle
import Model

/// A request on its way to the provider, and whose it is.
struct Call {
    enum Kind {
        case create, look, retrieve(Int), delete(Int), deleteSurplus(Int)
    }
    var kind: Kind
    var slot: Int
    var boot: Int
    var run: Int
    var user: Int
    var generation: Generation
    var isZombie = false
    /// The provider's own second one of a request.
    var isSecond = false
}

enum Occurrence {
    case tick(Int)
    /// A worker's run has all it needs for its create.
    case send(Int, run: Int)
    case arrive(Call)
    case reply(Call, Answer)
    case webhook(Int)
    /// The commit of a delivery that was acknowledged before, by an intake that is broken; of this server.
    case lateCommit(Int, server: Int)
    /// The statement of a delivery has the lock it waited for, on this server.
    case lockGiven(Int, statement: Int, server: Int)
    case replay
    case sweep
    case compare([ModelCredential], startedAt: Int, server: Int)
    case carryOut([Correction], startedAt: Int, server: Int, met: Set<Int>)
    case fault
    case rotate(Int)
    case peace
    case retryFailed
}

enum Answer {
    case event(JobEvent)
    case created(Shown)
    /// Live credentials a list has shown, oldest first.
    case listed([Shown])
    case retrieved(Shown)
    case deleted
    case failed
}

/// A credential as an answer shows it: a list may leave the password out.
struct Shown {
    var id: Int
    var password: UInt64?
}

/// What a sender said, and whether it was told that this is stored.
struct Webhook {
    var user: Int
    var wanted: Wanted
    var occurredAt: Int
    var isAcknowledged = false
}
