// SPDX-License-Identifier: Apache-2.0
// What must come out right when two connections meet at one person, or an operator and a source.

import Model
import Postgres
import Queue
import TestSupport

@testable import Directory
@testable import Intake
@testable import Onboarding

extension SendersCheck {
    static let meeting = Self(name: "a deletion and a first membership at once") { database, breaking in
        try await WordBed.prepare(database)
        _ = try await WordBed.say([.exists(5)], database)
        var clock = FairClock()
        let deletion = TrackedStatement.batch(of: [try Said.deleted(50).word()], &clock).statements
        try await TwoConnections.hold(breaking.change(deletion), database) {
            _ = try await WordBed.say([.joins("o1", 30)], database) { breaking.change($0) }
        }
        return try await !WordBed.users(database).contains("acme u live")
    }

    static let finishMeanwhile = Self(name: "a leave that waits for a finish") { database, breaking in
        try await WordBed.prepare(database)
        _ = try await WordBed.say([.joins("o1", 10)], database)
        let finish = [TwoConnections.lock, Ledger.credential(ProviderID(rawValue: "p"), of: TwoConnections.user)]
        try await TwoConnections.hold(finish, database) {
            _ = try await WordBed.say([.leaves("o1", 20)], database) { breaking.change($0) }
        }
        return try await WordBed.credentials(database) == ["1 closing"]
    }

    static let revokeMeanwhile = Self(name: "a join that waits for another source's revoke") { database, breaking in
        try await WordBed.prepare(database)
        let revoke = try NewEvent.of("u", .gone, "d", at: 3, from: WordBed.other)
        try await TwoConnections.hold([EventStatement.insert([revoke], places: ["acme": 1])], database) {
            _ = try await WordBed.say([.joins("o1", 1)], database) { breaking.change($0) }
        }
        return try await WordBed.users(database) == ["acme u gone"]
    }

    /// Two leaves in one transaction name the tenants against the order of the users' keys.
    static let crosswise = Self(name: "two leaves in one transaction beside a finish") { database, breaking in
        try await WordBed.prepare(database)
        _ = try await WordBed.say([.joins("o1", 10), .joins("o3", 10)], database)
        let finish = try await Self.connection(database)
        func lock(_ tenant: String) async throws {
            _ = try await finish.query("select 1 from dialtone.users where tenant_id = \(tenant) for no key update")
        }
        try await lock("acme")
        async let leaves = WordBed.commit(
            [try Said.leaves("o3", 20).word(), try Said.leaves("o1", 20).word()], database
        ) { breaking.change($0) }
        var isWhole = true
        do {
            try await database.untilSomebodyWaitsForALock()
            try await lock("globex")
        } catch let error as PostgresError where error.isRetryable {
            isWhole = false
        }
        try await finish.script("rollback")
        await finish.close()
        do { _ = try await leaves } catch let error as PostgresError where error.isRetryable { isWhole = false }
        return isWhole
    }

    /// An invitation leaves the person's row as it is, and its membership is not seen before it is committed.
    static let sweep = Self(name: "a sweep while an invitation is under way") { database, breaking in
        try await WordBed.prepare(database)
        _ = try await WordBed.say([.exists(5)], database)
        _ = try await database.admin.query("update dialtone.people set waits_until = now() - interval '1 minute'")
        var clock = FairClock()
        let invitation = TrackedStatement.batch(of: [try Said.invited("o1", 10).word()], &clock).statements
        let (holder, sweeper) = (try await Self.connection(database), try await Self.connection(database))
        for statement in invitation { _ = try await holder.query(statement) }
        // Who does not pass over the person waits for the holder, and is told no.
        try await sweeper.script("set local lock_timeout = '200ms'")
        var hasPassed = true
        do {
            _ = try await sweeper.query(breaking.change(WaitingPeople.forget(limit: 10)))
        } catch is PostgresError {
            hasPassed = false
        }
        for connection in [holder, sweeper] {
            try await connection.script("rollback")
            await connection.close()
        }
        return hasPassed
    }

    /// Returns a connection in a transaction.
    private static func connection(_ database: TestDatabase) async throws -> PostgresConnection {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
        try await connection.script("begin")
        return connection
    }

    static let reopening = Self(name: "a deletion that is told again after a reopening") { database, breaking in
        try await WordBed.prepare(database)
        _ = try await WordBed.say([.joins("o1", 10), .deleted(20)], database)
        try await database.commit(
            breaking.change([
                PersonReopening.lock(TwoConnections.user),
                """
                update dialtone.users
                set wanted = 'live', generation = generation + 1, occurred_at = occurred_at + interval '1 microsecond'
                """,
                PersonReopening.reopen(TwoConnections.user),
            ]))
        _ = try await WordBed.say([.deleted(20)], database)
        return try await WordBed.users(database) == ["acme u live"]
    }
}
