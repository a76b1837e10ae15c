// SPDX-License-Identifier: Apache-2.0
// What can happen to a job, and what must be done about it: the two words of the state machine.

package import Model

/// What happened to a job.
package enum JobEvent: Sendable, Equatable {
    case claimed
    /// The provider made the credential. This is evidence, whoever holds the lease.
    case created(ProviderID)
    /// The request provably never left us.
    case notSent
    /// 429. Nothing may be sent for this long.
    case rateLimited(Duration)
    /// 401 or 403, or a breaker that is open because of one. Nothing is sent for this long.
    case refused(Duration)
    /// The tag holds all it may. `isCounted`: by the provider's count, not by its words alone.
    case tagFull(isCounted: Bool)
    /// 400, 404 or 422, and it is not known whose fault it is.
    case rejectedUnclear
    /// Only this job's own fields are at fault.
    case rejected
    /// The tenant's settings are at fault, not this job.
    case tenantRejected(Duration)
    /// Anything else: the credential may have been made.
    case unknown
    /// Live credentials under our name, oldest first. Expired ones and those in surplus are left out. None: when the
    /// look may prove absence (`JobLife.mayProveAbsence`), name and tag were both asked.
    case looked(found: [ProviderID])
    /// The look did not work. The duration is what the provider asked for.
    case lookFailed(Duration?)
    /// 200, or 404 with a witness.
    case deleted(ProviderID)
    case deleteFailed(Duration?)
}

/// What the worker must do about it, in order.
package enum JobEffect: Sendable, Equatable {
    /// Send the create, while the local lease has room for it.
    case create
    /// List by name.
    case look
    case delete(ProviderID)
    /// Record this credential. The transaction, under the user's lock, ends the job or gives it its next goal.
    case record(ProviderID)
    /// Remember these for deletion.
    case surplus([ProviderID])
    /// Close the generation: nothing of it is left at the provider. The id is the one that was deleted there, if any.
    case closeGeneration(ProviderID?)
    /// Nothing is left to do: wanted is actual.
    case finish
    /// Let another goal of the user go first, and come back to this generation after that long.
    case goToOtherGoal(after: Duration)
    /// Put the job back for later. It may then create without a look, unless it was ever in doubt.
    case schedule(delay: Duration, isCharged: Bool, dropsTag: Bool)
    /// Put the job back where it must look first. `landingTime`: an empty answer before that long from now proves
    /// nothing.
    case doubt(delay: Duration, isCharged: Bool, landingTime: Duration?)
    /// Write a new epoch and lease, for a create after absence was proven.
    case renewLease
    /// Stop trying, for this reason.
    case giveUp(String)
}
