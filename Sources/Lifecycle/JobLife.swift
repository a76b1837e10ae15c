// SPDX-License-Identifier: Apache-2.0
// What a worker knows of one job when it decides the next safe step: a value, with no way to reach the outside.

package import Model

/// One job between two transitions.
package struct JobLife: Sendable, Equatable {
    /// The generation this job's name, tag and doubt are about.
    package var generation: Generation
    package var phase: Phase
    /// What the `users` row wants, as read by the claim.
    package var wanted: Wanted
    package var wantedGeneration: Generation
    /// The credential the ledger already records for `generation`, unless it is deleted.
    package var recorded: ProviderID?
    /// Whether the user waits for a later generation, which nobody has made yet, and this one may serve until then.
    package var isOutdatedButServing: Bool
    /// Whether something else is due for this user, an old credential to delete or a later one to make: what fails or
    /// is refused must not stand in its way.
    package var hasOtherGoals: Bool
    /// How long this generation, of a user who has a later one, may serve on.
    package var mayServeFor: Duration?
    /// Whether a create for this generation may ever have been sent with its outcome unknown. Never set back.
    package var isDoubtful: Bool
    /// Tries that failed and count.
    package var attempts: Int
    /// How often its worker vanished.
    package var crashes: Int
    /// Calls that failed in a row; they only make the pauses longer.
    package var failures: Int
    /// Consecutive empty look-ups.
    package var empties: Int
    /// By the database's clock at the claim: how long until an empty look-up may prove absence. A doubtful job without
    /// such a moment never had its time.
    package var quietIn: Duration?
    /// What the ledger itself is worth since the server last changed.
    package var trust: LedgerTrust

    package enum Phase: Sendable, Equatable {
        /// Claimed out of the queue: may act at once.
        case armed
        /// Claimed out of doubt: must look first.
        case looking
    }

    package init(
        generation: Generation, phase: Phase, wanted: Wanted, wantedGeneration: Generation, recorded: ProviderID? = nil,
        isOutdatedButServing: Bool = false, hasOtherGoals: Bool = false, mayServeFor: Duration? = nil,
        isDoubtful: Bool = false,
        attempts: Int = 0,
        crashes: Int = 0, failures: Int = 0,
        empties: Int = 0,
        quietIn: Duration? = nil, trust: LedgerTrust = .whole
    ) {
        self.generation = generation
        self.phase = phase
        self.wanted = wanted
        self.wantedGeneration = wantedGeneration
        self.recorded = recorded
        self.isOutdatedButServing = isOutdatedButServing
        self.hasOtherGoals = hasOtherGoals
        self.mayServeFor = mayServeFor
        self.isDoubtful = isDoubtful
        self.attempts = attempts
        self.crashes = crashes
        self.failures = failures
        self.empties = empties
        self.quietIn = quietIn
        self.trust = trust
    }

    /// Whether this job's generation is the one that should be live.
    package var isWanted: Bool { self.wanted == .live && self.wantedGeneration == self.generation }
}

/// Whether the ledger knows every create that was ever sent, as far as this server tells.
package struct LedgerTrust: Sendable, Equatable {
    /// It may not: look before any create.
    package var looksFirst: Bool
    /// … and believe only a second empty answer, after `quietIn`: commits may have been lost with the old server.
    package var looksTwice: Bool
    /// The data stands on another system than before: nothing is deleted until an operator says what it is.
    package var isStopped: Bool

    package init(looksFirst: Bool, looksTwice: Bool, isStopped: Bool) {
        self.looksFirst = looksFirst
        self.looksTwice = looksTwice
        self.isStopped = isStopped
    }

    package static let whole = LedgerTrust(looksFirst: false, looksTwice: false, isStopped: false)
}

/// What happened to a job.
package enum JobEvent: Sendable, Equatable {
    case claimed
    /// The provider made it: evidence, whoever holds the lease.
    case created(ProviderID)
    /// The request provably never left us.
    case notSent
    case rateLimited(Duration)
    /// 401 or 403, or a breaker that is open because of one; nothing is sent for this long.
    case refused(Duration)
    /// The tag holds all it may. `isCounted`: by the provider's count, not by its words alone.
    case tagFull(isCounted: Bool)
    /// 400, 404 or 422, and nobody can say whose fault it is.
    case rejectedUnclear
    /// Only this job's own fields are at fault.
    case rejected
    /// The tenant's settings are at fault, not this job.
    case tenantRejected(Duration)
    /// Anything else: it may have been made.
    case unknown
    /// Live credentials under our name, never expired ones nor those in surplus; oldest first.
    case looked(found: [ProviderID])
    case lookFailed(Duration?)
    /// 200 or 404.
    case deleted(ProviderID)
    case deleteFailed(Duration?)
}

/// What must be done about it, by the worker, in order.
package enum JobEffect: Sendable, Equatable {
    /// Send the create. Only in the local lease's time.
    case create
    /// List by name.
    case look
    case delete(ProviderID)
    /// Record this credential and end the job, or give it its next goal, in one transaction under the user's lock.
    case record(ProviderID)
    /// Remember these for deletion.
    case surplus([ProviderID])
    /// The generation is closed: nothing of it is left at the provider. With the id that was deleted there, if one was.
    case closeGeneration(ProviderID?)
    /// Nothing to do: wanted is actual.
    case finish
    /// This generation may wait: another first, after that long.
    case goToOtherGoal(after: Duration)
    /// Put it back for later; it may then create without a look, unless it was ever in doubt.
    case schedule(delay: Duration, isCharged: Bool, dropsTag: Bool)
    /// Put it back where it must look first. `landingTime`: an empty answer before that long from now proves nothing.
    case doubt(delay: Duration, isCharged: Bool, landingTime: Duration?)
    /// A new epoch and lease for a create after absence was proven.
    case renewLease
    /// Stop trying; an operator must look.
    case giveUp(String)
}
