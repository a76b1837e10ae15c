// SPDX-License-Identifier: Apache-2.0
// What every claim of one worker has in common.

import Foundation
package import Model

package struct ClaimTerms: Sendable {
    package var worker: WorkerID
    /// The era this worker knows (`incarnation.era`). It claims in no other.
    package var era: Int64
    package var lease: Duration
    package var landingTime: Duration
    package var tagCapacity: Int

    package init(worker: WorkerID, era: Int64, lease: Duration, landingTime: Duration, tagCapacity: Int) {
        self.worker = worker
        self.era = era
        self.lease = lease
        self.landingTime = landingTime
        self.tagCapacity = tagCapacity
    }
}
