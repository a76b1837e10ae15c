// SPDX-License-Identifier: Apache-2.0
// Two nodes that write events of the same users wait for each other's locks and decide as one node would.

import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct TwoWritersTests {
    /// The event of minute 4 waits for another node, which stores the same change for minute 2 and commits first.
    /// An event of minute 3 must still be superseded.
    @Test(arguments: [(Wanted.live, Wanted.gone), (.gone, .live)])
    func `a newer event that changes nothing still supersedes an older one that comes later`(
        _ first: Wanted, _ last: Wanted
    ) async throws {
        try await TestDatabase.with { database in
            #expect(try await WriterBed.together([NewEvent.of("u", first, "d1", at: 1)], database) == [.accepted])
            try await database.admin.script(
                """
                begin; update dialtone.users set wanted = '\(last.rawValue)', occurred_at = occurred_at + interval '1 minute'
                """)
            async let answer = WriterBed.together([NewEvent.of("u", last, "d4", at: 4)], database)
            try await database.untilSomebodyWaitsForALock()
            try await database.admin.script("commit")
            #expect(try await answer == [.duplicate])
            #expect(try await WriterBed.together([NewEvent.of("u", first, "d3", at: 3)], database) == [.superseded])
        }
    }

    @Test func `two nodes that store the same users in crossed order neither block nor repeat`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (EventWriter(on: database), EventWriter(on: database))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await here.run() }
                group.addTask { await there.run() }
                for round in 0..<20 {
                    let wanted: Wanted = round.isMultiple(of: 2) ? .live : .gone
                    let events = try (0..<100).map { number in
                        try NewEvent.of("u-\(number)", wanted, "d-\(round)-\(number)", at: round)
                    }
                    async let one = here.outcomes(of: events)
                    async let other = there.outcomes(of: events.reversed())
                    let outcomes = await zip(one, other.reversed()).map { [$0, $1] }
                    #expect(
                        outcomes.allSatisfy { $0.contains(.accepted) && $0.contains(.duplicate) },
                        "each delivery is accepted once and known once")
                }
                group.cancelAll()
            }
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 2000)
        }
    }
}
