// SPDX-License-Identifier: Apache-2.0
// What is broken on purpose, to see that the simulation notices.

/// One rule taken away.
package enum Mutant: String, CaseIterable, Sendable {
    /// A transition needs no authority, or the epoch alone.
    case fenceRemoved, fenceByEpochAlone
    /// A credential nobody waits for any more is not written down.
    case evidenceDropped
    case landingTimeZero, emptiesNotReset, doubtNotSticky
    /// The sweep deletes what it does not know; takes for gone what is not listed.
    case sweepWithoutProof, vanishedByListing
    /// The end of a job does not look at what is wanted now.
    case recheckRemoved
    /// Seen in the order the model declares, for its locks are not taken.
    case jobsLockedBeforeUsers
    case oldGenerationNotClosed, reprovisionInSameGeneration, deletedBeforeReplaced
    /// A job ends although more is to be done.
    case jobDroppedAtFinish
    /// One credential is adopted, and recorded with the password of another that was listed.
    case anothersPassword
    /// A sender is answered, and then its event stored.
    case acknowledgedBeforeCommit
    /// A revoke closes what it saw before it had its user's lock; closes nothing at all.
    case decidedBeforeLocked, amendRemoved
}
