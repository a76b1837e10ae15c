// SPDX-License-Identifier: Apache-2.0
// The cursor tells each claim where to start: newcomers wait briefly, and dead index entries are read seldom.

import Queue
import Testing

@testable import Onboarding

@Suite struct ClaimCursorTests {
    private let now = ContinuousClock.now
    private let quick = Duration.milliseconds(4)

    @Test func `every second claim of a full queue starts from the clock`() {
        var cursor = ClaimCursor(now: self.now)
        #expect(cursor.start(at: self.now) == .beginning)
        for place in [100, 200, 300] as [Int64] {
            let atFirst = cursor.advanced(from: cursor.start(at: self.now), to: place, took: self.quick, at: self.now)
            #expect(cursor.start(at: self.now) == .at(place))
            let then = cursor.advanced(from: .at(place), to: place + 1, took: self.quick, at: self.now)
            #expect(!atFirst && !then, "the next claim has its turn anyway")
            #expect(cursor.start(at: self.now) == .clock(orEarlier: place + 1))
        }
    }

    /// There are index entries that vacuum may not remove. A claim from the clock costs 40 ms more, so the next one
    /// comes after 50 times as long.
    @Test func `expensive claims from the clock are rationed to a fiftieth of the time`() {
        var cursor = ClaimCursor(now: self.now)
        _ = cursor.advanced(from: .beginning, to: 100, took: self.quick, at: self.now)
        _ = cursor.advanced(from: .at(100), to: 200, took: self.quick, at: self.now)
        for _ in 1...50 {
            _ = cursor.advanced(
                from: .clock(orEarlier: 200), to: 200, took: self.quick + .milliseconds(40), at: self.now)
        }
        _ = cursor.advanced(from: .at(200), to: 200, took: self.quick, at: self.now)
        #expect(cursor.start(at: self.now + .milliseconds(1990)) == .at(200))
        #expect(cursor.start(at: self.now + .milliseconds(2001)) == .clock(orEarlier: 200))
    }

    /// A claim that waited ten seconds for an absent server says nothing about the index.
    @Test func `one slow claim from the clock delays the next by half a minute at most`() {
        var cursor = ClaimCursor(now: self.now)
        _ = cursor.advanced(from: .beginning, to: 100, took: self.quick, at: self.now)
        _ = cursor.advanced(from: .at(100), to: 200, took: self.quick, at: self.now)
        _ = cursor.advanced(from: .clock(orEarlier: 200), to: 200, took: .seconds(10), at: self.now)
        _ = cursor.advanced(from: .at(200), to: 200, took: self.quick, at: self.now)
        #expect(cursor.start(at: self.now + .seconds(29)) == .at(200))
        #expect(cursor.start(at: self.now + .seconds(30)) != .at(200))
    }

    @Test func `newcomers alone do not move the place in the line`() {
        var cursor = ClaimCursor(now: self.now)
        _ = cursor.advanced(from: .beginning, to: 1000, took: self.quick, at: self.now)
        _ = cursor.advanced(from: .at(1000), to: 20, took: self.quick, at: self.now)
        _ = cursor.advanced(from: .clock(orEarlier: 1000), to: 1000, took: self.quick, at: self.now)
        #expect(cursor.start(at: self.now) == .at(1000))
        _ = cursor.advanced(from: .at(1000), to: 20, took: self.quick, at: self.now)
        #expect(cursor.start(at: self.now) == .clock(orEarlier: 1000))
    }

    @Test func `at the end of the queue the next claim starts from the clock`() {
        var cursor = ClaimCursor(now: self.now)
        _ = cursor.advanced(from: .beginning, to: 100, took: self.quick, at: self.now)
        let mayBeBefore = cursor.advanced(from: .at(100), to: nil, took: self.quick, at: self.now)
        #expect(mayBeBefore)
        #expect(cursor.start(at: self.now) == .clock(orEarlier: .max))
        let stillMay = cursor.advanced(from: .clock(orEarlier: .max), to: nil, took: self.quick, at: self.now)
        #expect(!stillMay)
        #expect(cursor.start(at: self.now) == .clock(orEarlier: .max), "not from the place of jobs that are gone")
    }

    @Test func `after a claim that took nothing the next one starts from the clock`() {
        var cursor = ClaimCursor(now: self.now)
        _ = cursor.advanced(from: .beginning, to: 100, took: self.quick, at: self.now)
        cursor.foundNothing()
        #expect(cursor.start(at: self.now) == .clock(orEarlier: 100))
    }

    @Test func `every ten seconds a claim starts from the very beginning`() {
        var cursor = ClaimCursor(now: self.now)
        _ = cursor.advanced(from: .beginning, to: nil, took: self.quick, at: self.now)
        #expect(cursor.start(at: self.now + .seconds(9)) == .clock(orEarlier: .max))
        #expect(cursor.start(at: self.now + .seconds(10)) == .beginning)
    }
}
