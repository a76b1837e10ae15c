// SPDX-License-Identifier: Apache-2.0
// Lines for the reader who waits: standard error, because standard output is the JSON.

import Foundation
import Synchronization

enum Progress {
    private static let isSilent = Atomic(false)

    static func tell(_ text: String) {
        guard !Self.isSilent.load(ordering: .relaxed) else { return }
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    /// Tells nothing from now on.
    static func silence() { Self.isSilent.store(true, ordering: .relaxed) }
}
