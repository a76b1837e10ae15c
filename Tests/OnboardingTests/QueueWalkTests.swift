// SPDX-License-Identifier: Apache-2.0
// From where claims look: nobody who comes is passed by for long, and what is long gone is not walked over each time.

import Queue
import Testing

@testable import Onboarding

@Suite struct QueueWalkTests {
    private let now = ContinuousClock.now
    private let quick = Duration.milliseconds(4)

    @Test func aFullQueueIsLookedAtFromTheClockEverySecondTime() {
        var walk = QueueWalk(now: self.now)
        #expect(walk.start(at: self.now) == .beginning)
        for place in [100, 200, 300] as [Int64] {
            let atFirst = walk.walked(from: walk.start(at: self.now), to: place, took: self.quick, at: self.now)
            #expect(walk.start(at: self.now) == .at(place))
            let then = walk.walked(from: .at(place), to: place + 1, took: self.quick, at: self.now)
            #expect(!atFirst && !then, "the next claim has its turn anyway")
            #expect(walk.start(at: self.now) == .clock(orEarlier: place + 1))
        }
    }

    /// Entries that vacuum may not remove: 40 ms more for a look from the clock on, which is then 50 times as long away.
    @Test func whatIsDearIsDoneSeldom() {
        var walk = QueueWalk(now: self.now)
        _ = walk.walked(from: .beginning, to: 100, took: self.quick, at: self.now)
        _ = walk.walked(from: .at(100), to: 200, took: self.quick, at: self.now)
        for _ in 1...50 {
            _ = walk.walked(from: .clock(orEarlier: 200), to: 200, took: self.quick + .milliseconds(40), at: self.now)
        }
        _ = walk.walked(from: .at(200), to: 200, took: self.quick, at: self.now)
        #expect(walk.start(at: self.now + .milliseconds(1990)) == .at(200))
        #expect(walk.start(at: self.now + .milliseconds(2001)) == .clock(orEarlier: 200))
    }

    /// A claim that waited ten seconds for a server that was away says nothing of the index.
    @Test func oneSlowLookPutsTheNextOffByHalfAMinuteAtMost() {
        var walk = QueueWalk(now: self.now)
        _ = walk.walked(from: .beginning, to: 100, took: self.quick, at: self.now)
        _ = walk.walked(from: .at(100), to: 200, took: self.quick, at: self.now)
        _ = walk.walked(from: .clock(orEarlier: 200), to: 200, took: .seconds(10), at: self.now)
        _ = walk.walked(from: .at(200), to: 200, took: self.quick, at: self.now)
        #expect(walk.start(at: self.now + .seconds(29)) == .at(200))
        #expect(walk.start(at: self.now + .seconds(30)) != .at(200))
    }

    @Test func newcomersAloneDoNotMoveTheLine() {
        var walk = QueueWalk(now: self.now)
        _ = walk.walked(from: .beginning, to: 1000, took: self.quick, at: self.now)
        _ = walk.walked(from: .at(1000), to: 20, took: self.quick, at: self.now)
        _ = walk.walked(from: .clock(orEarlier: 1000), to: 1000, took: self.quick, at: self.now)
        #expect(walk.start(at: self.now) == .at(1000))
        _ = walk.walked(from: .at(1000), to: 20, took: self.quick, at: self.now)
        #expect(walk.start(at: self.now) == .clock(orEarlier: 1000))
    }

    @Test func theEndOfTheQueueSendsTheNextLookToTheClock() {
        var walk = QueueWalk(now: self.now)
        _ = walk.walked(from: .beginning, to: 100, took: self.quick, at: self.now)
        let mayBeBefore = walk.walked(from: .at(100), to: nil, took: self.quick, at: self.now)
        #expect(mayBeBefore)
        #expect(walk.start(at: self.now) == .clock(orEarlier: .max))
        let stillMay = walk.walked(from: .clock(orEarlier: .max), to: nil, took: self.quick, at: self.now)
        #expect(!stillMay)
        #expect(walk.start(at: self.now) == .clock(orEarlier: .max), "not from the place of jobs that are gone")
    }

    @Test func whoIsRefusedLooksFromTheClockNext() {
        var walk = QueueWalk(now: self.now)
        _ = walk.walked(from: .beginning, to: 100, took: self.quick, at: self.now)
        walk.rested()
        #expect(walk.start(at: self.now) == .clock(orEarlier: 100))
    }

    @Test func fromTheVeryBeginningEveryTenSeconds() {
        var walk = QueueWalk(now: self.now)
        _ = walk.walked(from: .beginning, to: nil, took: self.quick, at: self.now)
        #expect(walk.start(at: self.now + .seconds(9)) == .clock(orEarlier: .max))
        #expect(walk.start(at: self.now + .seconds(10)) == .beginning)
    }
}
