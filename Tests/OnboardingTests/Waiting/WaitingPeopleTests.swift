// SPDX-License-Identifier: Apache-2.0
// A person who has waited in vain is forgotten, and a membership that comes at that moment is not lost.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct WaitingPeopleTests {
    @Test func `a person whose time is over is forgotten, and another waits on`() async throws {
        try await Self.with(waiting: ["u": "- interval '1 minute'", "v": "+ interval '1 minute'"]) { database in
            try await database.commit([WaitingPeople.forget(limit: 10)])
            #expect(try await Self.people(database) == ["v"])
        }
    }

    @Test func `a page is as long as it may be`() async throws {
        try await Self.with(waiting: ["u": "- interval '2 days'", "v": "- interval '1 day'"]) { database in
            try await database.commit([WaitingPeople.forget(limit: 1)])
            #expect(try await Self.people(database) == ["v"])
        }
    }

    /// An older sign-up may still come, and must still be void.
    @Test(arguments: ["ended_at = now()", "listed_at = now()", "state = 'suspended'"])
    func `a person of whom more is known stays and waits no more`(_ fact: String) async throws {
        try await Self.with(waiting: ["u": "- interval '1 minute'"]) { database in
            try await database.admin.script("update dialtone.people set \(fact)")
            try await database.commit([WaitingPeople.forget(limit: 10)])
            let kept: SQL = "select 1 from dialtone.people where waits_until is null"
            #expect(try await database.admin.query(kept).count == 1)
        }
    }

    @Test func `a membership that waits for the forgetting makes the person anew`() async throws {
        try await Self.with(waiting: ["u": "- interval '1 minute'"]) { database in
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await holder.script("begin")
            _ = try await holder.query(WaitingPeople.forget(limit: 10))
            async let joined: Void = database.commit(Self.joining())
            try await database.untilSomebodyWaitsForALock()
            try await holder.script("commit")
            try await joined
            await holder.close()
            #expect(try await Self.people(database) == ["u"])
            #expect(try await database.admin.query("select 1 from dialtone.users where wanted = 'live'").count == 1)
        }
    }

    @Test func `a person whom intake holds is passed over`() async throws {
        try await Self.with(waiting: ["u": "- interval '1 minute'"]) { database in
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await holder.script("begin")
            for statement in Self.joining() { _ = try await holder.query(statement) }
            try await database.commit([WaitingPeople.forget(limit: 10)])
            try await holder.script("commit")
            await holder.close()
            try await database.commit([WaitingPeople.forget(limit: 10)])
            #expect(try await Self.people(database) == ["u"], "who is a member does not wait")
        }
    }

    // MARK: Test bed

    private static let source = SourceID(rawValue: UUID())

    /// Lends a database with people who wait until now and so much.
    private static func with(waiting: [String: String], _ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(),
                """
                insert into dialtone.sources (source_id, slug, hook_id, preset, is_tracked)
                values (\(Self.source), 'people', 'hk_people', 'clerk', true)
                """)
            for (user, until) in waiting {
                try await database.insert(
                    """
                    insert into dialtone.people (source_id, external_user, waits_until)
                    values (\(Self.source), \(user), now() \(unsafeText: until))
                    """)
            }
            try await work(database)
        }
    }

    /// What intake writes when `u` joins an organisation of the test's tenant.
    private static func joining() -> [SQL] {
        var clock = FairClock()
        guard let person = UserID(rawValue: "u") else { return [] }
        let word = Word(
            person: person, ofPerson: nil, organization: "o", ofMembership: .live, tenant: testTenant,
            moment: .at(Date(timeIntervalSince1970: 1_800_000_000)), isWeak: false, isWhole: false)
        let new = NewWord(
            id: EventID(at: Date()), source: Self.source, owner: nil, deliveryID: "d", receivedAt: Date(), word: word,
            mappingVersion: 1)
        return TrackedStatement.batch(of: [new], &clock).statements
    }

    private static func people(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query("select external_user from dialtone.people order by 1")
            .map { try $0.decode(String.self) }
    }
}
