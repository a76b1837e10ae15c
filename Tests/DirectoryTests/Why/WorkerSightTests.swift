// SPDX-License-Identifier: Apache-2.0
// What a node has seen of the workers holds for seconds, and not until somebody asks again.

import Testing

@testable import Directory

@Suite struct WorkerSightTests {
    @Test func `an answer holds for three seconds`() {
        let (sight, now) = (WorkerSight(), ContinuousClock.now)
        #expect(sight.seen(at: now) == nil)
        sight.see(false, at: now)
        #expect(sight.seen(at: now + .seconds(3)) == false)
        #expect(sight.seen(at: now + .milliseconds(3001)) == nil)
        sight.see(true, at: now + .seconds(4))
        #expect(sight.seen(at: now + .seconds(7)) == true)
    }

    @Test func `after a quiet night nothing is said of workers until the answer is there`() {
        let (sight, evening) = (WorkerSight(), ContinuousClock.now)
        sight.see(false, at: evening)
        let morning = evening + .seconds(8 * 3600)
        // The first request asks, and the second comes before the answer.
        #expect(sight.isDue(morning) && !sight.isDue(morning))
        #expect(sight.seen(at: morning) == nil)
        sight.see(true, at: morning + .milliseconds(5))
        #expect(sight.seen(at: morning + .milliseconds(5)) == true)
    }

    @Test func `while the next answer is under way the last one holds`() {
        let (sight, now) = (WorkerSight(), ContinuousClock.now)
        #expect(sight.isDue(now))
        sight.see(true, at: now)
        let next = now + .seconds(1)
        #expect(sight.isDue(next) && sight.seen(at: next) == true)
    }
}
