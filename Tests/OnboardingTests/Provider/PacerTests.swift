// SPDX-License-Identifier: Apache-2.0
// Calls that can wait come at a steady pace.

import Synchronization
import Testing

@testable import Onboarding

@Suite struct PacerTests {
    @Test func `six turns at once are spread over a second`() async {
        let waits = Mutex<[Duration]>([])
        let pacer = Pacer(rate: 5) { wait in waits.withLock { $0.append(wait) } }
        for _ in 0..<6 { await pacer.turn() }
        let longest = waits.withLock { $0.max() ?? .zero }
        #expect(longest > .milliseconds(900) && longest <= .seconds(1))
    }
}
