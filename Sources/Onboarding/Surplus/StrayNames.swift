// SPDX-License-Identifier: Apache-2.0
// The names of open strays, in the memory of each worker: a job whose name one of them bears looks first.

import Lifecycle
import Postgres
import Synchronization

/// Names as they were read last. A sign-up that was lost may come again, and its credential may be a stray.
final class StrayNames: Sendable {
    /// How old the names may be. With older ones every job looks first.
    static let maximumAge = NextVisit.oldestNames

    private struct Known {
        var heads: Set<String> = []
        var readAt: ContinuousClock.Instant?
    }

    private let known = Mutex(Known())

    /// Takes over what the ledger has. `asked` is the moment before the ledger was asked.
    func replace(with names: [String], asked: ContinuousClock.Instant) {
        let heads = Set(names.map(OpenNames.head))
        self.known.withLock { $0 = Known(heads: heads, readAt: asked) }
    }

    /// Whether a stray may bear this name. The provider may cut a name, so forty characters are compared.
    func mayHold(_ name: String, at now: ContinuousClock.Instant = .now) -> Bool {
        self.known.withLock { known in
            guard let readAt = known.readAt, now - readAt < Self.maximumAge else { return true }
            return known.heads.contains(OpenNames.head(name))
        }
    }
}
