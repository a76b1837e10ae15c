// SPDX-License-Identifier: Apache-2.0
// Two connections to one database: one holds its locks until the other waits for them.

import Model
import Postgres
import Queue
import TestSupport

@testable import Intake

enum TwoConnections {
    static let user = UserKey(tenant: testTenant, user: WordBed.person)
    static let lock: SQL = "select 1 from dialtone.users for no key update"

    /// Runs the first word's statements and holds their locks until the second one waits. Then both commit.
    static func race(
        before: [Said], _ first: Said, then second: Said, _ check: (TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say(before, database)
            var clock = FairClock()
            let earlier = TrackedStatement.batch(of: [try first.word()], &clock).statements
            try await Self.hold(earlier, database) { _ = try await WordBed.say([second], database) }
            try await check(database)
        }
    }

    /// Runs statements and holds their locks until `later` waits for one of them. Returns when both have committed.
    static func hold(
        _ statements: [SQL], _ database: TestDatabase, _ later: @Sendable () async throws -> Void
    ) async throws {
        let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
        try await holder.script("begin")
        for statement in statements { _ = try await holder.query(statement) }
        async let waiting: Void = later()
        try await database.untilSomebodyWaitsForALock()
        try await holder.script("commit")
        try await waiting
        await holder.close()
    }
}
