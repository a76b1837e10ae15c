// SPDX-License-Identifier: Apache-2.0
// What became of a delivery that was not stored, as the columns `tally.outcome` and `samples.outcome` name it.

import Foundation
package import Model

package enum TallyOutcome: String, CaseIterable, Sendable {
    /// The sender was told 4xx or 5xx.
    case refused
    /// A proven event that asks nothing of us.
    case ignored
    /// A proven event for which quarantine had no room.
    case notKept = "not_kept"
}

extension SourceID {
    /// Stands for all hooks that are not known. All zeros.
    package static let unknownHooks = SourceID(
        rawValue: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    /// Stands for the sources beyond the number that is counted by name. All ones.
    package static let others = SourceID(
        rawValue: UUID(
            uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255)))
}
