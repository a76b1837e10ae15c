// SPDX-License-Identifier: Apache-2.0
// Counts the lines that code under test logs as warnings or worse.

import Logging
import Synchronization

struct CountingLog: LogHandler {
    private let lines = Lines()
    var count: Int { self.lines.count.load(ordering: .relaxed) }
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) { self.lines.count.add(1, ordering: .relaxed) }

    private final class Lines: Sendable { let count = Atomic(0) }
}
