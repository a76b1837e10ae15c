// SPDX-License-Identifier: Apache-2.0
// Many results, few statements: one for all credentials, one for all jobs put back, a small transaction for each rare
// end.

package import Logging
import Model
package import Postgres
import Queue

/// The results of one turn as groups of statements, each a transaction, and what to do with their answers.
package struct FinishBatch: Sendable {
    package typealias Answers = [[Result<PostgresRows, PostgresError>]]

    package private(set) var groups: [[SQL]] = []
    private var evidence: [Evidence] = []
    private var transitions: [Transition] = []
    private var rest: [JobResult] = []

    package init(_ results: [JobResult]) {
        for result in results {
            switch result {
            case .owned(let evidence): self.evidence.append(evidence)
            case .moved(let transition): self.transitions.append(transition)
            case .ended(let ending):
                self.rest.append(result)
                self.groups.append(ending.statements)
            case .buried(let burial):
                self.rest.append(result)
                self.groups.append(burial.statements)
            }
        }
        if !self.transitions.isEmpty { self.groups.insert([JobQueue.move(self.transitions)], at: 0) }
        if !self.evidence.isEmpty { self.groups.insert(Evidence.record(self.evidence), at: 0) }
    }

    /// Writes all of it. False when the database is away: then it must be written again.
    func write(to pool: PostgresPool, _ logger: Logger) async -> Bool {
        do {
            try await pool.withConnection { connection in
                try await self.receive(try await connection.pipeline(self.groups), on: connection, logger: logger)
            }
            return true
        } catch {
            return false
        }
    }

    /// A worker's last results. Unstructured, so that a cancelled worker still writes what the provider gave it; bounded,
    /// for then the leases expire into doubt, and nothing is lost but time.
    func writeAtTheEnd(to pool: PostgresPool, _ logger: Logger) async {
        guard !self.groups.isEmpty else { return }
        await Task {
            for attempt in 1...3 {
                if await self.write(to: pool, logger) { return }
                try? await Task.sleep(for: .milliseconds(200 * attempt))
            }
            logger.warning("results could not be written at the end", metadata: ["groups": "\(self.groups.count)"])
        }.value
    }

    /// Reads the answers. A statement of many that failed on one bad row is tried again row by row, so that the others
    /// do not suffer; a row that fails alone is logged, and its lease will expire into doubt. Throws when the database
    /// is away: then the whole batch must be written again, which every statement allows.
    package func receive(_ answers: Answers, on connection: PostgresConnection, logger: Logger) async throws {
        // A deadlock's victim too: everything may be written again.
        for case .failure(let error) in answers.joined()
        where error.isUnavailable || error.isRetryable || error.code == .cancelled { throw error }
        var rest = answers[...]
        if !self.evidence.isEmpty, let answer = rest.popFirst()?.last {
            try await self.receiveEvidence(answer, on: connection, logger: logger)
        }
        if !self.transitions.isEmpty, case .failure? = rest.popFirst()?.first {
            for transition in self.transitions {
                _ = try await Self.alone([JobQueue.move([transition])], on: connection, logger: logger)
            }
        }
        for case .failure(let error) in rest.joined() where error.code != .notRun {
            logger.error("a job's end cannot be written", metadata: ["error": "\(error)"])
        }
    }

    private func receiveEvidence(
        _ answer: Result<PostgresRows, PostgresError>, on connection: PostgresConnection, logger: Logger
    ) async throws {
        var rows: [PostgresRow] = []
        switch answer {
        case .success(let all): rows = Array(all)
        case .failure:
            for evidence in self.evidence {
                rows += try await Self.alone(Evidence.record([evidence]), on: connection, logger: logger) ?? []
            }
        }
        var open: [ProviderID: Bool] = [:]
        for row in rows {
            var columns = row.columns
            let id: ProviderID = try columns.next()
            let isRecorded: Bool = try columns.next()
            if try !columns.next(Bool.self) { open[id] = isRecorded }
        }
        for evidence in self.evidence {
            guard let isRecorded = open[evidence.providerID] else { continue }
            try await Self.decide(evidence, isRecorded: isRecorded, on: connection, logger: logger)
        }
    }

    /// What one statement for all could not decide: a credential of nobody, or a user with more to do. The job that
    /// stands behind it goes to its next goal, or looks at the ledger again.
    private static func decide(
        _ evidence: Evidence, isRecorded: Bool, on connection: PostgresConnection, logger: Logger
    ) async throws {
        let next =
            isRecorded
            ? NextGoal.choose(evidence.lease, evidence.user, Trace())
            : NextGoal.lookAgain(evidence.lease)
        let facts = isRecorded ? [] : [evidence.toSurplus, NextGoal.openNext(evidence.user)]
        let rows = try await Self.alone(
            [UserLock.take(evidence.user)] + facts + [next], place: isRecorded ? nil : 1, on: connection, logger: logger
        )
        if !isRecorded, rows?.isEmpty == false {
            logger.warning("a second credential was made and will be deleted", metadata: ["name": "\(evidence.name)"])
        }
    }

    /// One transaction; answers the rows of the statement at `place`, else of the last. Nil when it cannot be written.
    private static func alone(
        _ statements: [SQL], place: Int? = nil, on connection: PostgresConnection, logger: Logger
    ) async throws -> [PostgresRow]? {
        let answers = try await connection.pipeline([statements])[0]
        for case .failure(let error) in answers {
            if error.isUnavailable || error.isRetryable || error.code == .cancelled { throw error }
            logger.error("a job's result cannot be written", metadata: ["error": "\(error)"])
            return nil
        }
        return Array(try answers[place ?? answers.count - 1].get())
    }
}
