// SPDX-License-Identifier: Apache-2.0
// The results that libpq still owes us: a pure state machine, so their order is tested without a server.

/// The results owed for one statement, or for the groups of a pipeline.
///
/// libpq gives them in order (34.5, "Pipeline Mode"). A statement has one or more results and then NULL. A sync has one
/// `PGRES_PIPELINE_SYNC` and no NULL. After an error, each statement up to the next sync has `PGRES_PIPELINE_ABORTED`.
/// Any other order means that we and the server have lost count, and only closing helps.
struct PendingResults<Rows>: ~Copyable {
    enum Expectation: Equatable {
        /// A statement whose rows the caller wants, by its place in `outcomes`.
        case statement(Int)
        /// A PREPARE sent on the caller's behalf before the statement at that place.
        case preparation(for: Int)
        case sync
    }

    enum Arrival {
        case rows(Rows)
        case failed(PostgresError)
        case aborted
        case sync
        case endOfStatement
        case unexpected(String)
    }

    enum Verdict: Equatable {
        case more
        case complete
        case violation(String)
    }

    private var expected: ArraySlice<Expectation>
    private var current: Result<Rows, PostgresError>?
    private(set) var outcomes: [Result<Rows, PostgresError>?]
    /// The first place of the group under way. Outcomes before it are settled by an earlier sync and stay so.
    private var groupStart = 0

    init(_ expected: [Expectation]) {
        self.expected = expected[...]
        let places = expected.count { if case .statement = $0 { true } else { false } }
        self.outcomes = Array(repeating: nil, count: places)
    }

    var isComplete: Bool { self.expected.isEmpty }

    /// The error of the statement under way, when the server has sent one and not yet ended the statement. A server
    /// that ends a session gives its reason like this.
    var lastWords: String? {
        guard case .failure(let error)? = self.current else { return nil }
        return error.message
    }

    /// Turns every success so far into a commit whose outcome is unknown.
    mutating func doubtSuccesses() {
        for (place, outcome) in self.outcomes.enumerated() {
            guard case .success? = outcome else { continue }
            self.outcomes[place] = .failure(
                PostgresError(.commitUnknown, "the server gave up waiting for its synchronous standby"))
        }
    }

    /// Matches one arrival with the result that is owed next. Says whether results are still owed.
    mutating func arrived(_ arrival: Arrival) -> Verdict {
        guard let next = self.expected.first else { return .violation("a result arrived that nobody asked for") }
        switch (next, arrival) {
        case (.sync, .sync):
            self.expected.removeFirst()
            self.groupStart = self.outcomes.firstIndex { $0 == nil } ?? self.outcomes.endIndex
        case (.sync, .failed):
            // A deferred constraint or the commit itself can fail at the sync, after every statement was fine.
            self.failSinceLastSync(arrival)
        case (.sync, .endOfStatement):
            break
        case (.sync, .rows), (.sync, .aborted):
            return .violation("a statement answered twice")
        case (.statement, .rows(let rows)), (.preparation, .rows(let rows)):
            if self.current == nil { self.current = .success(rows) }
        case (.statement, .failed(let error)), (.preparation, .failed(let error)):
            self.current = .failure(error)
        case (.statement, .aborted), (.preparation, .aborted):
            self.current = .failure(PostgresError(.notRun, "an earlier statement of the group failed"))
        case (.statement(let place), .endOfStatement):
            guard let outcome = self.current else { return .violation("a statement ended without a result") }
            // A failed preparation has put its error here already; the statement itself was only aborted.
            if self.outcomes[place] == nil { self.outcomes[place] = outcome }
            self.finishStatement()
        case (.preparation(let place), .endOfStatement):
            if case .failure(let error)? = self.current { self.outcomes[place] = .failure(error) }
            self.finishStatement()
        case (.statement, .sync), (.preparation, .sync):
            return .violation("a sync arrived before its statement")
        case (_, .unexpected(let what)):
            return .violation(what)
        }
        return self.expected.isEmpty ? .complete : .more
    }

    /// Returns the outcome of each statement. A statement whose result never came gets `missing`.
    ///
    /// So does a statement that succeeded in a group whose sync never came, because the sync is the commit.
    consuming func settled(missing: PostgresError) -> [Result<Rows, PostgresError>] {
        if self.expected.contains(.sync) { self.failSinceLastSync(.failed(missing)) }
        return self.outcomes.map { $0 ?? .failure(missing) }
    }

    private mutating func finishStatement() {
        self.current = nil
        self.expected.removeFirst()
    }

    private mutating func failSinceLastSync(_ arrival: Arrival) {
        guard case .failed(let error) = arrival else { return }
        for place in self.outcomes.indices.dropFirst(self.groupStart) {
            if case .success? = self.outcomes[place] { self.outcomes[place] = .failure(error) }
        }
    }
}
