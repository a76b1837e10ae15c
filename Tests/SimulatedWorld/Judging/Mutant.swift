// SPDX-License-Identifier: Apache-2.0
// The rules that can be taken away, to see that the simulation notices.

/// The protocol with one rule taken away.
package enum Mutant: String, CaseIterable, Sendable {
    /// A transition needs no authority, or the epoch alone.
    case fenceRemoved, fenceByEpochAlone
    /// A credential is not written down when its worker has lost the job.
    case evidenceDropped
    case landingTimeZero, doubtNotSticky
    /// Absence is believed before its time, or without the tag's list.
    case absentBeforeQuiet, absentByNameAlone
    /// A dead job comes back without its doubt, and creates.
    case deadForgetsDoubt
    /// A job does not look first when it comes to the generation of which a credential was seen.
    case mustLookForgotten
    /// A claim does not heed that its job must look first.
    case mustLookUnheeded
    /// The sweep deletes what it does not know, or takes a credential for gone that is not listed.
    case sweepWithoutProof, leftOutIsGone
    /// The end of a job does not look at what is wanted now.
    case recheckRemoved
    /// Locks are taken in the opposite order. The ledger only declares its locks, so it checks the declared order.
    case jobsLockedBeforeUsers
    case oldGenerationNotClosed, reprovisionInSameGeneration, deletedBeforeReplaced
    /// A job ends although more is to be done.
    case jobDroppedAtFinish
    /// A found credential is recorded with the password of another one in the same list.
    case anothersPassword
    /// A sender is answered first, and its event is stored afterwards.
    case acknowledgedBeforeCommit
    /// A revoke closes the credentials that it saw before it had its user's lock, or closes nothing.
    case decidedBeforeLocked, amendRemoved
    /// A credential is recorded by what was seen before its user was locked.
    case recordedBeforeLocked
    /// A dump that is loaded into the running server is not noticed, because the server's start is the same.
    case identityByStart
    /// After lost commits one look is enough at once, or a list counts that began before the quiet time.
    case lookedOnceAfterLoss, seenBeforeQuiet
    /// Trust is decided by what was seen before the tenant was locked.
    case trustedBeforeLocked
    /// A count that agrees gives trust. A visit of the highest shard does not list the next one.
    case countIsTrust, nextShardUnseen
    /// A count that agrees is enough for ever. A name in doubt is not looked up again.
    case countOnly, doubtsNotFollowed
    /// A tag that was not quiet is visited again when it would be listed, and no sooner.
    case busyWaitsLong
    /// Jobs delete before an operator has said what the ledger's new system is.
    case stoppedDeletes
    /// A create is armed by a server that has not given its claim.
    case rearmAnywhere
    /// Jobs of a lost claim are told by the epoch of their claim, and not by their id.
    case putBackByEpoch
    /// Jobs that were set aside are never queued again.
    case neverLetGo
    /// A second credential is deleted although the provider has lost the one that owns its generation.
    case secondWithoutOwner
}
