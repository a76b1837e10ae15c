// SPDX-License-Identifier: Apache-2.0
// Two sources may speak of one user, and an operator too: whose word stands does not hang on whose clock is ahead.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct TwoSourcesTests {
    /// The words of one user's life in order, and what each comes to.
    struct Life: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: [Said]
        let outcomes: [String]
        let users: [String]
    }

    enum Said: Sendable {
        /// By a source, at a minute of the morning; nil: without a time.
        case says(Sender, Wanted, Int?)
        /// The same, in an update.
        case mentions(Sender, Int)
        /// An operator revokes the user at that minute.
        case revokes(Int)
    }

    enum Sender: Sendable { case app, directory }

    private static let lives = [
        Life(
            testDescription: "a delete of another source wins within five minutes",
            words: [.says(.app, .live, 3), .says(.directory, .gone, 0)], outcomes: ["accepted", "accepted"],
            users: ["gone 1"]),
        Life(
            testDescription: "an older delete of another source is past",
            words: [.says(.app, .live, 6), .says(.directory, .gone, 0)],
            outcomes: ["accepted", "superseded other_source"], users: ["live 1"]),
        Life(
            testDescription: "a sign-up by another source must be five minutes newer than the delete",
            words: [
                .says(.app, .live, 0), .says(.app, .gone, 10), .says(.directory, .live, 15),
                .says(.directory, .live, 16),
            ],
            outcomes: ["accepted", "accepted", "superseded other_source", "accepted"], users: ["live 2"]),
        Life(
            testDescription: "a clock that is ahead does not become the user's by a repeated sign-up",
            words: [.says(.app, .live, 0), .says(.directory, .live, 3), .says(.app, .gone, 2)],
            outcomes: ["accepted", "duplicate", "accepted"], users: ["gone 1"]),
        Life(
            testDescription: "a repeated sign-up that is much newer is the newest word",
            words: [
                .says(.app, .live, 0), .says(.directory, .live, 20), .says(.app, .gone, 14), .says(.app, .gone, 15),
            ],
            outcomes: ["accepted", "duplicate", "superseded other_source", "accepted"], users: ["gone 1"]),
        Life(
            testDescription: "what an operator has revoked is lifted by a sign-up from after that",
            words: [.says(.app, .live, 0), .revokes(10), .says(.app, .live, 5), .says(.app, .live, 6)],
            outcomes: ["accepted", "superseded held", "accepted"], users: ["live 2"]),
        Life(
            testDescription: "… also when the sign-up before had no time",
            words: [.says(.app, .live, nil), .revokes(10), .says(.app, .live, nil), .says(.app, .live, 6)],
            outcomes: ["accepted", "superseded held", "accepted"], users: ["live 2"]),
        Life(
            testDescription: "an update lifts no operator's revoke, however new it is",
            words: [.says(.app, .live, 0), .revokes(10), .mentions(.app, 600), .says(.app, .live, 601)],
            outcomes: ["accepted", "superseded held", "accepted"], users: ["live 2"]),
        Life(
            testDescription: "an update lifts its own source's delete and no other's",
            words: [
                .mentions(.app, 0), .says(.app, .gone, 5), .mentions(.directory, 600), .mentions(.app, 7),
            ],
            outcomes: ["accepted", "accepted", "superseded other_source", "accepted"], users: ["live 2"]),
    ]

    @Test(arguments: Self.lives)
    func `whose word stands`(_ life: Life) async throws {
        let sources = [Sender.app: SourceID(rawValue: UUID()), .directory: SourceID(rawValue: UUID())]
        try await TestDatabase.with { database in
            for (place, said) in life.words.enumerated() {
                let event: NewEvent
                switch said {
                case .says(let sender, let wanted, let minute):
                    event = try NewEvent.of(
                        "u", wanted, "d\(place)", at: minute, from: sources[sender] ?? WriterBed.source)
                case .mentions(let sender, let minute):
                    var weak = try NewEvent.of(
                        "u", .live, "d\(place)", at: minute, from: sources[sender] ?? WriterBed.source)
                    weak.isWeak = true
                    event = weak
                case .revokes(let minute):
                    _ = try await database.admin.query(
                        """
                        update dialtone.users set wanted = 'gone', status = 'revoking',
                            held_at = \(WriterBed.time(ofMinute: minute)),
                            occurred_at = coalesce(occurred_at, '-infinity')
                        """)
                    continue
                }
                _ = try await WriterBed.together([event], database)
            }
            let outcomes = try await database.admin.query(
                "select concat_ws(' ', outcome, detail) from dialtone.events order by delivery_id"
            ).map { try $0.decode(String.self) }
            #expect(outcomes == life.outcomes)
            let users = try await database.admin.query("select wanted || ' ' || generation from dialtone.users")
                .map { try $0.decode(String.self) }
            #expect(users == life.users)
        }
    }

    /// The ledger can be asked later which secret has let a delivery in, and which mapping has read it.
    @Test func `an event names its secret and its mapping, and a user the event behind the wish`() async throws {
        try await TestDatabase.with { database in
            let secret = UUID()
            var event = try NewEvent.of("u", .live, "d")
            event.secret = secret
            event.mappingVersion = 3
            var plain = try NewEvent.of("v", .live, "e")
            plain.secret = secret
            #expect(try await WriterBed.together([event, plain], database) == [.accepted, .accepted])
            let rows = try await database.admin.query(
                """
                select users.user_id || ' ' || coalesce(config_version::text, 'none') from dialtone.events
                join dialtone.users on cause_id = event_id and told_by = source_id
                where secret_id = \(secret) and wished_by is null order by 1
                """
            ).map { try $0.decode(String.self) }
            #expect(rows == ["u 3", "v none"])
        }
    }
}
