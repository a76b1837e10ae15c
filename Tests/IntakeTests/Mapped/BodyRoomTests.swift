// SPDX-License-Identifier: Apache-2.0
// How many bytes of bodies may wait for their answer, of one source and of all.

import Testing

@testable import Intake

@Suite struct BodyRoomTests {
    private static let share = BodyRoom.maximumBytesOfSource

    @Test func `a source holds its share at most, and what it gives back makes room`() {
        let (room, source, other) = (BodyRoom(), SourceBudget(rate: 1), SourceBudget(rate: 1))
        #expect(room.take(Self.share, of: source) && !room.take(1, of: source))
        #expect(room.take(1, of: other), "another source has its own share")
        room.giveBack(Self.share, of: source)
        #expect(room.take(Self.share, of: source), "what was refused is not held")
    }

    @Test func `all sources hold 32 MiB at most`() {
        let room = BodyRoom()
        for _ in 0..<4 { #expect(room.take(Self.share, of: SourceBudget(rate: 1))) }
        let late = SourceBudget(rate: 1)
        #expect(!room.take(1, of: late) && late.isIdle())
    }
}
