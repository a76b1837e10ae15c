// SPDX-License-Identifier: Apache-2.0
// What one run of a job leaves to be written.

package import Queue

package enum JobResult: Sendable {
    /// The provider has a credential for this job: it is recorded.
    case owned(Evidence)
    /// The job goes back into the table.
    case moved(Transition)
    /// The job's generation is done with, without a new credential.
    case ended(Ending)
    /// The worker stops trying.
    case buried(Burial)
}
