// SPDX-License-Identifier: Apache-2.0
// A sender's address of keys for tests: what it answers, and how often it was asked.

import Synchronization

@testable import Intake

final class KeyServer: Sendable {
    private let answer = Mutex<String?>(TestToken.keySet)
    private let asked = Mutex<[Int]>([])

    var count: Int { self.asked.withLock { $0.count } }
    var limits: [Int] { self.asked.withLock { $0 } }

    /// Nil: it does not answer.
    func answer(_ text: String?) { self.answer.withLock { $0 = text } }

    func fetch(_ limit: Int) throws -> [UInt8] {
        self.asked.withLock { $0.append(limit) }
        guard let text = self.answer.withLock({ $0 }) else { throw NoAnswer() }
        return Array(text.utf8)
    }
}
