// SPDX-License-Identifier: Apache-2.0
// One line for the log that says the same thing seldom.

import Logging

extension ThrottledLog {
    struct Line: Sendable {
        /// Constant, so that lines can be told apart by it.
        let message: String
        let level: Logger.Level
        /// Sets news of one connection apart from another's.
        let scope: String
        let metadata: Logger.Metadata

        init(
            _ message: String, level: Logger.Level = .warning, scope: String = "", metadata: Logger.Metadata = [:]
        ) {
            self.message = message
            self.level = level
            self.scope = scope
            self.metadata = metadata
        }
    }

    func log(_ line: Line) { self.log(line.message, level: line.level, scope: line.scope, line.metadata) }
}
