// SPDX-License-Identifier: Apache-2.0
// A start waits for a database that is on its way, and not for one that says no.

import Postgres
import Synchronization
import Testing

@testable import Schema

@Suite struct DatabaseWaitTests {
    private static let away = PostgresError(.connectFailed, "connection refused")

    @Test func `a database that comes in time is waited for, and the wait is said once`() async throws {
        var tries = 0
        var told: [String] = []
        let value = try await DatabaseWait(limit: .seconds(60), pause: .zero).first(tell: { told.append($0.message) }) {
            tries += 1
            if tries < 4 { throw Self.away }
            return "there"
        }
        #expect(value == "there" && tries == 4 && told == ["connection refused"])
    }

    @Test func `a database that does not come ends the start with its reason`() async throws {
        let attempts = Attempts()
        let error = await #expect(throws: PostgresError.self) {
            try await DatabaseWait(limit: .zero, pause: .zero).first(tell: { _ in }) { try attempts.fail(Self.away) }
        }
        #expect(error?.message == "connection refused" && attempts.count == 1)
    }

    @Test(arguments: [
        PostgresError(.connectFailed, "FATAL:  password authentication failed for user \"app\""),
        PostgresError(.connectFailed, "FATAL:  no pg_hba.conf entry for host"),
        PostgresError(.configuration, "the connection string is not in libpq's form"),
        PostgresError(.server, "relation does not exist", sqlState: "42P01"),
    ])
    func `a refusal is not waited for`(refusal: PostgresError) async throws {
        let attempts = Attempts()
        let error = await #expect(throws: PostgresError.self) {
            try await DatabaseWait(limit: .seconds(60), pause: .zero).first(tell: { _ in }) {
                try attempts.fail(refusal)
            }
        }
        #expect(error?.message == refusal.message && attempts.count == 1)
    }
}

/// Counts attempts, each of which fails.
private final class Attempts: Sendable {
    private let number = Mutex(0)

    var count: Int { self.number.withLock { $0 } }

    func fail(_ error: PostgresError) throws {
        self.number.withLock { $0 += 1 }
        throw error
    }
}
