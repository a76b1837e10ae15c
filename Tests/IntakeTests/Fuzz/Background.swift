// SPDX-License-Identifier: Apache-2.0
// Long work of a test that only thinks: it runs beside the tests that have deadlines to meet.

import Foundation
import Glibc

enum Background {
    /// Works on a thread of the lowest priority. On Linux setpriority(2) can set the priority of one thread.
    static func run(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
                done.resume(with: Result { try work() })
            }
        }
    }
}
