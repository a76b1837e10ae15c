// SPDX-License-Identifier: Apache-2.0
// Many results in few statements: one for all credentials, one for all jobs put back, a small transaction for each rare
// end.

package import Counts
package import Logging
package import Model
package import Postgres
import Queue
package import Telemetry

/// The results of one turn as groups of statements, each a transaction, and what to do with their answers.
///
/// A statement for many that fails on one bad row is tried again row by row. A row that fails alone is logged, and its
/// lease expires into doubt. Every statement is guarded, so a batch may be written again as a whole.
package struct FinishBatch: Sendable {
    package typealias Answers = [[Result<PostgresRows, PostgresError>]]

    /// In the order of the answers that `receive` takes: evidence, transitions, then each end.
    package let groups: [[SQL]]
    private let evidence: [Evidence]
    private let transitions: [Transition]
    private let ends: [End]
    private let metrics: Measurements?
    private let counts: TenantCounts?

    /// An end, and what its last statement says of the user when that returns true.
    private struct End {
        let job: JobID
        let statements: [SQL]
        let tenant: TenantID
        let event: TenantEvent
    }

    package init(_ results: [JobResult], metrics: Measurements? = nil, counts: TenantCounts? = nil) {
        var evidence: [Evidence] = []
        var transitions: [Transition] = []
        var ends: [End] = []
        for result in results {
            switch result {
            case .owned(let one): evidence.append(one)
            case .moved(let transition): transitions.append(transition)
            case .ended(let ending):
                ends.append(
                    End(
                        job: ending.lease.job, statements: ending.statements, tenant: ending.user.tenant,
                        event: .revoked))
            case .buried(let burial):
                ends.append(
                    End(
                        job: burial.lease.job, statements: burial.statements, tenant: burial.user.tenant, event: .failed
                    ))
            }
        }
        self.evidence = evidence
        self.transitions = transitions
        self.ends = ends
        self.metrics = metrics
        self.counts = counts
        self.groups =
            (evidence.isEmpty ? [] : [Evidence.record(evidence)])
            + (transitions.isEmpty ? [] : [[Transition.write(transitions)]]) + ends.map(\.statements)
    }

    /// Writes all of it. Returns false when the database is away: then it must be written again.
    func write(to pool: PostgresPool, _ logger: Logger) async -> Bool {
        do {
            try await pool.withConnection { connection in
                _ = try await self.receive(try await connection.pipeline(self.groups), on: connection, logger: logger)
            }
            return true
        } catch {
            return false
        }
    }

    /// Writes a worker's last results. Unstructured, because a cancelled worker still writes what the provider gave it.
    /// Bounded: when it fails, the leases expire into doubt, and nothing but time is lost.
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

    /// Reads the answers to `groups`, and does what one statement for all could not do. Throws when the database is
    /// away, or chose this batch as the victim of a deadlock: then the whole batch must be written again. Returns the
    /// jobs whose result could not be written and is given up: their leases expire into doubt.
    @discardableResult
    package func receive(
        _ answers: Answers, on connection: PostgresConnection, logger: Logger
    ) async throws -> [JobID] {
        for case .failure(let error) in answers.joined() where Self.isForAll(error) { throw error }
        var rest = answers[...]
        var refused: [JobID] = []
        if !self.evidence.isEmpty, let answers = rest.popFirst() {
            refused += try await self.receiveEvidence(answers, on: connection, logger: logger)
        }
        if !self.transitions.isEmpty, case .failure? = rest.popFirst()?.first {
            for transition in self.transitions {
                let rows = try await Self.alone([Transition.write([transition])], on: connection, logger: logger)
                if rows == nil { refused.append(transition.lease.job) }
            }
        }
        for (end, answers) in zip(self.ends, rest) {
            try self.count(end, answers)
            for case .failure(let error) in answers where error.code != .notRun {
                logger.error("a job's end cannot be written", metadata: ["error": "\(error)"])
                refused.append(end.job)
            }
        }
        return refused
    }

    private func count(_ end: End, _ answers: [Result<PostgresRows, PostgresError>]) throws {
        guard case .success(let rows)? = answers.last, let row = rows.first else { return }
        var columns = row.columns
        _ = try columns.next(JobID.self)
        if try columns.next(Bool.self) { self.counts?.add(end.event, of: end.tenant) }
    }

    // MARK: Evidence

    private func receiveEvidence(
        _ answers: [Result<PostgresRows, PostgresError>], on connection: PostgresConnection, logger: Logger
    ) async throws -> [JobID] {
        var refused: [JobID] = []
        var rows: [PostgresRow] = []
        do throws(PostgresError) {
            // One that fails takes back what the others have done.
            for answer in answers { _ = try answer.get() }
            rows = Array(try answers[Self.recordPlace].get())
        } catch {
            for evidence in self.evidence {
                rows +=
                    try await Self.alone(
                        Evidence.record([evidence]), answerAt: Self.recordPlace, on: connection, logger: logger) ?? []
            }
        }
        let written = try Self.written(rows)
        for evidence in self.evidence {
            guard let written = written[evidence.providerID] else {
                refused.append(evidence.lease.job)
                continue
            }
            if written.isReady { self.countReady(evidence) }
            let isWritten: Bool
            if written.isDone {
                self.noteTime(of: evidence)
                isWritten = true
            } else if written.isRecorded {
                isWritten = try await Self.goOn(after: evidence, on: connection, logger: logger)
            } else {
                isWritten = try await self.decide(evidence, on: connection, logger: logger)
            }
            if !isWritten { refused.append(evidence.lease.job) }
        }
        return refused
    }

    /// The place of the answer of `record` among those of its transaction.
    private static let recordPlace = 1

    private struct Written {
        let isRecorded: Bool
        /// Its job is done with; else the job has more to do.
        let isDone: Bool
        /// Its user is ready by it.
        let isReady: Bool
    }

    /// What became of each credential. A row that could not be written is not among them.
    private static func written(_ rows: [PostgresRow]) throws -> [ProviderID: Written] {
        var written: [ProviderID: Written] = [:]
        for row in rows {
            var columns = row.columns
            let id: ProviderID = try columns.next()
            written[id] = Written(
                isRecorded: try columns.next(), isDone: try columns.next(), isReady: try columns.next())
        }
        return written
    }

    /// The credential is recorded, and its user has more to do: the job goes to its next goal. When the credential came
    /// from a worker that had lost its lease, the job may have died meanwhile. It then finds the credential now.
    private static func goOn(
        after evidence: Evidence, on connection: PostgresConnection, logger: Logger
    ) async throws -> Bool {
        let statements = [
            UserLock.take(evidence.user), NextGoal.choose(evidence.lease, evidence.user, Trace()),
            DeadJob.lookNow(evidence.user),
        ]
        return try await Self.alone(statements, on: connection, logger: logger) != nil
    }

    /// A rotation has left the user ready all the while.
    private func countReady(_ evidence: Evidence) {
        guard evidence.overlap == nil else { return }
        self.counts?.add(.ready(after: evidence.arrival?.elapsed), of: evidence.user.tenant)
    }

    /// The user is ready. A rotation has left the user ready all the while.
    private func noteTime(of evidence: Evidence) {
        guard let arrival = evidence.arrival, evidence.overlap == nil else { return }
        self.metrics?.timeToCredential.observe(evidence.path, arrival.elapsed)
    }

    /// The credential could not be recorded: under the user's lock it is decided whether it is surplus. The job looks
    /// at the ledger again.
    private func decide(
        _ evidence: Evidence, on connection: PostgresConnection, logger: Logger
    ) async throws -> Bool {
        let statements = [
            UserLock.take(evidence.user), evidence.toSurplus, NextGoal.openNext(evidence.user),
            NextGoal.lookAgain(evidence.lease, evidence.user), DeadJob.lookNow(evidence.user),
        ]
        let rows = try await Self.alone(statements, answerAt: 1, on: connection, logger: logger)
        if rows?.isEmpty == false {
            self.metrics?.secondCredentials.add()
            logger.warning("a second credential was made and will be deleted", metadata: ["name": "\(evidence.name)"])
        }
        return rows != nil
    }

    // MARK: One by one

    /// Runs one transaction. Returns the rows of the statement at `answerAt`, else of the last; nil when it cannot be
    /// written.
    private static func alone(
        _ statements: [SQL], answerAt: Int? = nil, on connection: PostgresConnection, logger: Logger
    ) async throws -> [PostgresRow]? {
        let answers = try await connection.pipeline([statements])[0]
        for case .failure(let error) in answers {
            if Self.isForAll(error) { throw error }
            logger.error("a job's result cannot be written", metadata: ["error": "\(error)"])
            return nil
        }
        return Array(try answers[answerAt ?? answers.count - 1].get())
    }

    /// Whether the error is about the connection or the moment, and not about a row.
    private static func isForAll(_ error: PostgresError) -> Bool {
        error.isUnavailable || error.isRetryable || error.code == .cancelled
    }
}
