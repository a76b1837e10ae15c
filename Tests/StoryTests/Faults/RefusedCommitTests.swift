// SPDX-License-Identifier: Apache-2.0
// What a sender hears when the server refuses to store: 422 when it always will, and 503 for everything that passes.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct RefusedCommitTests {
    /// When the server refuses: at the row, or at the commit, as a disk that is full may.
    enum Moment: CaseIterable { case atRow, atCommit }

    /// Of classes 08, 25, 40, 53, 55, 57, 58 and XX (appendix A): time, an operator or a second attempt mends them.
    private static let forNow = [
        "08006", "25006", "40001", "40P01", "53100", "53200", "53300", "53400", "55P03", "57014", "57P01", "57P03",
        "58030", "XX000",
    ]
    /// Of classes 22, 23 and 54: the same values are refused each time.
    private static let forGood = ["22001", "22021", "22P05", "23502", "23514", "54000", "54001"]

    @Test(arguments: Moment.allCases)
    func `a server that cannot store now is told with 503, and the same delivery is stored later`(
        moment: Moment
    ) async throws {
        try await Story.with { story in
            try await Self.refuse(moment, in: story)
            let refused = try await Self.send(Self.forNow.map { "bad-\($0)" }, to: story)
            for state in Self.forNow { #expect(refused["bad-\(state)"] == 503, "SQLSTATE \(state)") }
            // A revoke takes two statements, in one transaction and one round trip.
            let gone = try await Self.send(Self.forNow.map { "bad-\($0)-gone" }, .deleted, to: story)
            for state in Self.forNow { #expect(gone["bad-\(state)-gone"] == 503, "SQLSTATE \(state)") }
            // Nothing of the trouble stays with the service.
            #expect(try await story.send(.created, "u-good", delivery: "good").status == 202)

            try await story.database.admin.script("drop trigger refuse on dialtone.events")
            let again = try await Self.send(Self.forNow.map { "bad-\($0)" }, to: story)
            for state in Self.forNow { #expect(again["bad-\(state)"] == 202, "SQLSTATE \(state)") }
            try await story.waitUntil(Self.forNow.count + 1, are: .ready)
            #expect(try await story.provider.live() == Self.forNow.count + 1)
        }
    }

    @Test(arguments: Moment.allCases)
    func `a row that the server refuses for good is told to its sender with 422 and to no other`(
        moment: Moment
    ) async throws {
        try await Story.with { story in
            try await Self.refuse(moment, in: story)
            let good = ["a", "b", "c"]
            let statuses = try await Self.send(Self.forGood.map { "bad-\($0)" } + good, to: story)
            for state in Self.forGood { #expect(statuses["bad-\(state)"] == 422, "SQLSTATE \(state)") }
            for delivery in good { #expect(statuses[delivery] == 202) }
            let gone = try await Self.send(Self.forGood.map { "bad-\($0)-gone" }, .deleted, to: story)
            for state in Self.forGood { #expect(gone["bad-\(state)-gone"] == 422, "SQLSTATE \(state)") }
            #expect(try await story.eventCount() == good.count)
        }
    }

    /// Lets the server refuse each delivery whose id begins with `bad-` and a SQLSTATE with this SQLSTATE.
    private static func refuse(_ moment: Moment, in story: Story) async throws {
        let trigger =
            switch moment {
            case .atRow: "create trigger refuse before insert on dialtone.events"
            case .atCommit:
                "create constraint trigger refuse after insert on dialtone.events deferrable initially deferred"
            }
        try await story.database.admin.script(
            """
            create function public.refuse() returns trigger language plpgsql as
            $$ begin raise exception 'refused' using errcode = substr(new.delivery_id, 5, 5); end $$;
            \(trigger) for each row when (new.delivery_id like 'bad-%') execute function public.refuse()
            """)
    }

    /// Sends all of them at once, each about a user of its own. Returns the statuses.
    private static func send(
        _ deliveries: [String], _ type: Story.EventType = .created, to story: Story
    ) async throws -> [String: Int] {
        try await withThrowingTaskGroup(of: (String, Int).self) { group in
            for delivery in deliveries {
                group.addTask {
                    (delivery, try await story.send(type, "u-\(delivery)", delivery: delivery).status)
                }
            }
            return try await group.reduce(into: [String: Int]()) { $0[$1.0] = $1.1 }
        }
    }
}
