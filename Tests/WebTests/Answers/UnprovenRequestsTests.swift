// SPDX-License-Identifier: Apache-2.0
// Probes and strangers are answered at once, and late above a number in each second.

import Testing

@testable import Web

@Suite struct UnprovenRequestsTests {
    @Test func `a second has so many requests, and the next one as many again`() {
        let start = ContinuousClock.now
        let requests = UnprovenRequests(limit: 3, start: start)
        for second in 0..<2 {
            let now = start + .seconds(second) + .milliseconds(500)
            let answers = (0..<5).map { _ in requests.areTooMany(now: now) }
            #expect(answers == [false, false, false, true, true])
        }
    }

    @Test(arguments: [
        ("busy", true, false), ("too_many_requests", true, false), ("too_many_tokens", true, false),
        ("unavailable", false, false), ("not_found", false, true), ("key_unknown", false, true),
        ("unknown_hook", false, true), ("bad_proof", false, false), ("unknown_user", false, false),
    ])
    func `who asks too much waits, and a database that is away makes nobody wait`(
        code: String, isHeld: Bool, isUnproven: Bool
    ) {
        let problem = Problem(400, code, "")
        #expect(AnswerDelay.holds(problem) == isHeld)
        #expect(UnprovenRequests.isOne(problem) == isUnproven)
        #expect(problem.answer(requestID: "r").isHeldBack == isHeld)
    }
}
