// SPDX-License-Identifier: Apache-2.0
// The door by which whoever answers a request tells that it was refused.

package import Foundation
package import Model

extension Intake {
    /// Counts a request that was refused, as its hook's source or as one of the hooks that are not known. `form` is asked
    /// for only when a sample is due.
    package func countRefused(_ refusal: Refusal, at hook: String, now: Date, form: () -> RequestForm) {
        self.tally.count(refusal, of: self.source(of: hook, refused: refusal), at: now, form: form)
        if let source = self.sources.lastRead(hook) { self.tellSecret(of: source, refused: refusal) }
    }

    /// As above, of a hook whose source was in memory.
    package func countRefused(_ refusal: Refusal, at hook: KnownHook, now: Date, form: () -> RequestForm) {
        self.tally.count(refusal, of: hook.source.id, at: now, form: form)
        self.tellSecret(of: hook.source, refused: refusal)
    }

    /// Returns the source of a hook that was known when it was last looked up; nil for any other.
    package func source(of hook: String) -> SourceID? { self.sources.sourceID(of: hook) }

    /// Logs why nothing of a sender can be proven, where that is known.
    private func tellSecret(of source: KnownSource, refused refusal: Refusal) {
        guard refusal.isOfProof, source.lacksSendersSecret else { return }
        self.budgets.tellSecretMissing(source.id)
    }

    /// A source that is disabled, or that cannot be used just now, is known all the same.
    private func source(of hook: String, refused refusal: Refusal) -> SourceID {
        guard refusal != .unknownHook else { return .unknownHooks }
        return self.sources.sourceID(of: hook) ?? .unknownHooks
    }
}
