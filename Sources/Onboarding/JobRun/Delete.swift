// SPDX-License-Identifier: Apache-2.0
// The delete of one credential at the provider.

import Lifecycle
import Logging
import Model
import Queue
import Telnyx

extension JobRun {
    /// A 200 is proof, and so is a 404 when another known credential of the account answers: the 404 is about the
    /// credential then, and not about a wrong key.
    func delete(_ id: ProviderID, _ state: inout RunState) async -> JobEvent {
        state.beginStep()
        let began = ContinuousClock.now
        do throws(TelnyxFailure) {
            defer { state.noteCall(since: began) }
            state.trace = Trace(try await self.provider.delete(id))
            return .deleted(id)
        } catch {
            state.trace = Trace(error.trace)
            if error.isNotFound, await self.witness.speaksForAccount(without: id) { return .deleted(id) }
            state.hasFailed = true
            self.throttledLog.log("a credential cannot be deleted yet", ["error": "\(error)"])
            return .deleteFailed(error.retryAfter)
        }
    }
}
