// SPDX-License-Identifier: Apache-2.0
// The door by which whoever answers a request tells that it was refused.

package import Foundation

extension Intake {
    /// Counts a request that was refused. `hook` is nil where its source is not known. `form` is asked for only when a
    /// sample is due.
    package func countRefused(
        _ refusal: Refusal, at hook: KnownHook?, now: Date, form: () -> RequestForm
    ) {
        self.tally.count(refusal, of: hook?.source.id ?? .unknownHooks, at: now, form: form)
    }
}
