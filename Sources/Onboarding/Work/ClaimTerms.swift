// SPDX-License-Identifier: Apache-2.0
// What every claim of one worker has in common.

import Foundation
package import Model

package struct ClaimTerms: Sendable {
    package var worker: WorkerID
    /// The server this worker knows, by its start, in microseconds. It claims from no other.
    package var started: Int64
    package var lease: Duration
    package var landingTime: Duration
    package var tagCapacity: Int

    package init(worker: WorkerID, started: Int64, lease: Duration, landingTime: Duration, tagCapacity: Int) {
        self.worker = worker
        self.started = started
        self.lease = lease
        self.landingTime = landingTime
        self.tagCapacity = tagCapacity
    }
}
