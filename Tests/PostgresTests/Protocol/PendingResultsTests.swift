// SPDX-License-Identifier: Apache-2.0
// Results are matched with their statements, without a server: completion, violations, and errors within a group.

import Testing

@testable import Postgres

@Suite struct PendingResultsTests {
    private static let refused = PostgresError(.server, "refused", sqlState: "23505")

    @Test func `a plain statement is complete at the end of its results`() {
        var pending = PendingResults<String>([.statement(0)])
        let first = pending.arrived(.rows("a"))
        let last = pending.arrived(.endOfStatement)
        let outcomes = pending.settled(missing: Self.refused)
        #expect(first == .more)
        #expect(last == .complete)
        #expect(value(outcomes[0]) == "a")
    }

    @Test func `an error fails the rest of its group and leaves the next group alone`() {
        var pending = PendingResults<String>([.statement(0), .statement(1), .sync, .statement(2), .sync])
        for arrival: PendingResults<String>.Arrival in [
            .failed(Self.refused), .endOfStatement, .aborted, .endOfStatement, .sync, .rows("c"), .endOfStatement,
        ] {
            let verdict = pending.arrived(arrival)
            #expect(verdict == .more)
        }
        let last = pending.arrived(.sync)
        let outcomes = pending.settled(missing: Self.refused)
        #expect(last == .complete)
        #expect(failure(outcomes[0])?.sqlState == "23505")
        #expect(failure(outcomes[1])?.code == .notRun)
        #expect(value(outcomes[2]) == "c")
    }

    @Test func `an error at the sync fails the statements that had succeeded in that group`() {
        var pending = PendingResults<String>([.statement(0), .sync, .statement(1), .sync])
        for arrival: PendingResults<String>.Arrival in [
            .rows("a"), .endOfStatement, .sync, .rows("b"), .endOfStatement,
        ] {
            _ = pending.arrived(arrival)
        }
        let atTheSync = pending.arrived(.failed(Self.refused))
        let last = pending.arrived(.sync)
        let outcomes = pending.settled(missing: Self.refused)
        #expect(atTheSync == .more)
        #expect(last == .complete)
        #expect(value(outcomes[0]) == "a", "an earlier group has its own sync, and stays settled")
        #expect(failure(outcomes[1])?.sqlState == "23505")
    }

    /// Rows of a large batch can arrive before its commit, because the server sends what its buffer cannot hold.
    @Test func `statements of a group whose sync never arrives are lost`() {
        var pending = PendingResults<String>([.statement(0), .sync, .statement(1), .statement(2), .sync])
        for arrival: PendingResults<String>.Arrival in [
            .rows("a"), .endOfStatement, .sync, .rows("b"), .endOfStatement,
        ] {
            _ = pending.arrived(arrival)
        }
        let outcomes = pending.settled(missing: PostgresError(.connectionLost, "lost"))
        #expect(value(outcomes[0]) == "a")
        #expect(failure(outcomes[1])?.code == .connectionLost)
        #expect(failure(outcomes[2])?.code == .connectionLost)
    }

    /// A server that ends a session sends an error first, and the end of the statement never comes.
    @Test func `the reason that a server gives before it ends a session is kept`() {
        var pending = PendingResults<String>([.statement(0)])
        let before = pending.lastWords
        _ = pending.arrived(.failed(Self.refused))
        let after = pending.lastWords
        let outcomes = pending.settled(missing: PostgresError(.connectionLost, "lost"))
        #expect(before == nil && after == "refused")
        #expect(failure(outcomes[0])?.code == .connectionLost, "whether the statement took effect is not known")
    }

    @Test func `a sync that arrives before its statement's result is a protocol violation`() {
        var pending = PendingResults<String>([.statement(0), .sync])
        guard case .violation = pending.arrived(.sync) else {
            Issue.record("a sync that comes too early must be a violation")
            return
        }
    }

    @Test func `a result without a pending statement is a protocol violation`() {
        var pending = PendingResults<String>([])
        guard case .violation = pending.arrived(.rows("a")) else {
            Issue.record("an unexpected result must be a violation")
            return
        }
    }

    private func value(_ outcome: Result<String, PostgresError>) -> String? {
        guard case .success(let value) = outcome else { return nil }
        return value
    }

    private func failure(_ outcome: Result<String, PostgresError>) -> PostgresError? {
        guard case .failure(let error) = outcome else { return nil }
        return error
    }
}
