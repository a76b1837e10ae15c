// SPDX-License-Identifier: Apache-2.0
// Many results, few statements: one for all credentials, one for all jobs put back, one each for the rare endings.

package import Logging
import Model
package import Postgres
import Queue

/// The results of one turn as statements, and what to do with their answers.
package struct FinishBatch: Sendable {
    package private(set) var statements: [SQL] = []
    private var evidence: [Evidence] = []
    private var singles: [SQL] = []
    private var transitions: [Transition] = []

    package init(_ results: [JobResult]) {
        for result in results {
            switch result {
            case .owned(let evidence): self.evidence.append(evidence)
            case .moved(let transition): self.transitions.append(transition)
            case .ended(let ending): self.singles.append(ending.statement)
            case .buried(let burial): self.singles.append(burial.statement)
            }
        }
        if !self.evidence.isEmpty { self.statements.append(Evidence.record(self.evidence)) }
        if !self.transitions.isEmpty { self.statements.append(JobQueue.move(self.transitions)) }
        self.statements += self.singles
    }

    /// Reads the answers. A statement of many that failed on one bad row is tried again row by row, so that the others do
    /// not suffer; a row that fails alone is logged, and its lease will expire into doubt.
    /// Throws when the database is away: then the whole batch must be written again.
    package func settle(
        _ answers: [Result<PostgresRows, PostgresError>], on connection: PostgresConnection, logger: Logger
    ) async throws {
        for answer in answers {
            if case .failure(let error) = answer, error.isUnavailable || error.code == .cancelled { throw error }
        }
        var rest = answers[...]
        if !self.evidence.isEmpty, let answer = rest.popFirst() {
            try await self.settleEvidence(answer, on: connection, logger: logger)
        }
        if !self.transitions.isEmpty, case .failure? = rest.popFirst() {
            for transition in self.transitions {
                try await self.alone(JobQueue.move([transition]), on: connection, logger: logger)
            }
        }
        for case .failure(let error) in rest {
            logger.error("a job's end cannot be written", metadata: ["error": "\(error)"])
        }
    }

    private func settleEvidence(
        _ answer: Result<PostgresRows, PostgresError>, on connection: PostgresConnection, logger: Logger
    ) async throws {
        let rows: [PostgresRows]
        switch answer {
        case .success(let all): rows = [all]
        case .failure:
            var one: [PostgresRows] = []
            for evidence in self.evidence {
                if let done = try await self.alone(Evidence.record([evidence]), on: connection, logger: logger) {
                    one.append(done)
                }
            }
            rows = one
        }
        var refused: Set<ProviderID> = []
        for row in rows.joined() {
            var columns = row.columns
            let id: ProviderID = try columns.next()
            if try !columns.next(Bool.self) { refused.insert(id) }
        }
        for evidence in self.evidence where refused.contains(evidence.providerID) {
            let surplus = try await connection.query(Evidence.settle(evidence))
            if !surplus.isEmpty {
                logger.warning(
                    "a second credential was made and will be deleted", metadata: ["name": "\(evidence.name)"])
            }
            // Whoever owns the generation, this job must look at the ledger again.
            _ = try await connection.query(
                JobQueue.move([Transition(lease: evidence.lease, to: .inDoubt, delay: .zero)]))
        }
    }

    @discardableResult
    private func alone(_ statement: SQL, on connection: PostgresConnection, logger: Logger) async throws
        -> PostgresRows?
    {
        do {
            return try await connection.query(statement)
        } catch {
            if error.isUnavailable || error.code == .cancelled { throw error }
            logger.error("a job's result cannot be written", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
