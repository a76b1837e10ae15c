// SPDX-License-Identifier: Apache-2.0
// What a worker knows of one job when it decides the next safe step: a value that cannot reach the outside.

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
    /// Whether the user waits for a later generation that is not made yet, and this one may serve until then.
    package var isOutdatedButServing: Bool
    /// Whether something else is due for this user: an old credential to delete, or a later one to make. A step that
    /// fails or is refused must not stand in its way.
    package var hasOtherGoals: Bool
    /// How long this generation, of a user who has a later one, may serve on.
    package var mayServeFor: Duration?
    /// Whether a create for this generation may ever have been sent with its outcome unknown. It is never set back.
    package var isDoubtful: Bool
    /// Tries that failed and count.
    package var attempts: Int
    /// How often its worker vanished.
    package var crashes: Int
    /// Calls that failed in a row. They only make the pauses longer.
    package var failures: Int
    /// How long until an empty look may prove absence, by the database's clock at the claim: until the last create can
    /// no longer land, and after lost commits also until no create of the old server can. Nil: no such moment is known.
    /// A doubtful job without one gets one at its first look.
    package var quietIn: Duration?
    /// How far the ledger can be believed, for instance after a backup was restored.
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
        attempts: Int = 0, crashes: Int = 0, failures: Int = 0,
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
        self.quietIn = quietIn
        self.trust = trust
    }

    /// Whether this job's generation is the one that should be live.
    package var isWanted: Bool { self.wanted == .live && self.wantedGeneration == self.generation }

    /// Whether a look that begins now proves absence when it finds nothing. Such a look must be thorough: it asks for
    /// the name and lists the tag.
    ///
    /// A create may still appear until `quietIn` is over, so an earlier look only finds.
    package var mayProveAbsence: Bool { self.quietIn.map { $0 <= .zero } ?? !self.isDoubtful }
}
