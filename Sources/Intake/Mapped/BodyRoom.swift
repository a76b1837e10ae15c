// SPDX-License-Identifier: Apache-2.0
// Bounds the bytes of the bodies that are held from their reading until their answer.

import Synchronization

/// A body is held while its words wait for the writers, because quarantine may need it.
final class BodyRoom: Sendable {
    /// Bytes of all bodies at most, and of one source's.
    static let maximumBytes = 32 << 20
    static let maximumBytesOfSource = 8 << 20

    private let held = Atomic(0)

    /// Returns whether there is room for the body. Nothing is held where there is none.
    func take(_ bytes: Int, of source: SourceBudget) -> Bool {
        guard self.held.add(bytes, ordering: .relaxed).newValue <= Self.maximumBytes else {
            self.held.subtract(bytes, ordering: .relaxed)
            return false
        }
        guard source.hold(bytes, upTo: Self.maximumBytesOfSource) else {
            self.held.subtract(bytes, ordering: .relaxed)
            return false
        }
        return true
    }

    func giveBack(_ bytes: Int, of source: SourceBudget) {
        source.release(bytes)
        self.held.subtract(bytes, ordering: .relaxed)
    }
}
