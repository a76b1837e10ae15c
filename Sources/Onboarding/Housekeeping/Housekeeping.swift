// SPDX-License-Identifier: Apache-2.0
// Everything that time alone makes due: pauses that end, leases that run out, servers and nodes that have changed.
//
// Every worker keeps house for the whole ledger. A tick first asks which server answers (`Incarnation`), because a
// worker may claim only from the server it knows. Then it does the chores that are due (`Chore`). Every statement here
// may be repeated, and none is in a hurry, so workers need not agree on who does it.

import Foundation
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telemetry

extension OnboardingWorker {
    /// Runs one tick per poll interval, with jitter, and wakes the loops that may now find something.
    ///
    /// Cancelled here: the tick ends where it is.
    func housekeep() async {
        var round = Round()
        var failure = RepeatedFailure()
        while !Task.isCancelled {
            var pause = self.configuration.pollInterval * Double.random(in: 0.75..<1.25)
            do {
                try await self.pool.withConnection { try await self.tick(&round, on: $0) }
                self.metrics.worker?.note(trouble: nil)
                failure.end()
                // Nothing is claimed from a server that was just adopted before the worker has met it.
                if self.identity.terms == nil { pause = min(pause, .milliseconds(50)) }
            } catch {
                self.logger.debug("housekeeping waits for the database", metadata: ["error": "\(error)"])
                // At the end it is the cancellation that fails it.
                if !Task.isCancelled { self.metrics.worker?.note(trouble: "\(error)") }
                if failure.isNews(error, at: .now) {
                    self.logger.error(
                        "housekeeping has failed for a minute, and nothing new is claimed",
                        metadata: ["error": "\(error)"])
                }
            }
            self.wakeup.signal()
            self.due.signal()
            try? await Task.sleep(for: pause)
        }
    }

    /// Which tick it is, and what the ticks before have seen.
    private struct Round {
        var tick = 0
        /// All leases that had ended by `time` are rescued. `server` is the start of the server whose clock that is.
        var rescuedTo: (server: Int64, time: Int64)?
        /// Where the walk of `queueForgottenDeletes` stands.
        var place = ForgottenDeletes.Place()
        /// Where the walk of `forgetOldEvents` stands.
        var oldEvents = OldEvents.Place()
        /// Where the walk of `queueForgottenUsers` stands.
        var user = ForgottenUsers.Place()
        /// When the log last said that deletes are stopped.
        var toldOfStop: ContinuousClock.Instant?
        /// Jobs that this tick has put in doubt.
        var rescued = 0
    }

    /// The server first, then each chore that is due. A chore that fails is logged and does not keep the others from
    /// their work.
    private func tick(_ round: inout Round, on connection: PostgresConnection) async throws {
        guard let server = try await self.adoptServerIfChanged(on: connection) else { return }
        defer { round.tick += 1 }
        round.rescued = 0
        for chore in Chore.due(at: round.tick, of: self.configuration.pollInterval) {
            do {
                try await self.perform(chore, &round, server, on: connection)
            } catch let error as PostgresError where [.server, .decoding, .commitUnknown].contains(error.code) {
                // A process that stops cancels its statement. That is no failure.
                if Task.isCancelled { return }
                self.logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
            }
        }
        if round.rescued > 0 {
            self.logger.notice("leases were lost, jobs are in doubt", metadata: ["jobs": "\(round.rescued)"])
        }
    }

    private func perform(
        _ chore: Chore, _ round: inout Round, _ server: Incarnation, on connection: PostgresConnection
    ) async throws {
        switch chore {
        case .readStrayNames: try await self.readStrayNames(on: connection)
        case .watchNodeLocks: _ = try await connection.query(Presence.watch)
        case .disownRecordedSurplus: _ = try await connection.query(Surplus.disown)
        case .forgetDeadNodes: _ = try await connection.query(Presence.forget)
        case .makeLogPartitions:
            _ = try await connection.query("select dialtone.ensure_job_log_partitions()::text")
        case .forgetWaitingPeople: _ = try await connection.query(WaitingPeople.forget(limit: Self.peoplePerStatement))
        case .endOldQuarantine:
            let life = self.configuration.quarantineLife
            _ = try await connection.query(OldQuarantine.end(after: life, limit: Self.quarantinePerStatement))
        case .closeProvenBreakers: await self.provider.limits.closeProven()
        case .letWaitingJobsGo: _ = try await connection.query(LetGo.statement(limit: Int64(Self.jobsPerStatement)))
        case .forgetSlices, .cutPauses, .cutDueTimes: try await self.cut(chore, on: connection)
        case .rollTally: _ = try await connection.query(OldTally.roll(limit: Self.countsPerStatement))
        case .forgetTally: _ = try await connection.query(OldTally.forget(limit: Self.countsPerStatement))
        case .forgetDeletedSources:
            for statement in DeletedSources.forget(limit: Self.peoplePerStatement) {
                _ = try await connection.query(statement)
            }
        case .dropOldLog, .forgetOldLogRows, .forgetOldEvents, .overwriteClosedCredentials, .forgetRemains,
            .rollMinutes, .forgetHours, .forgetFindings:
            try await self.retain(chore, &round.oldEvents, on: connection)
        case .queueForgottenDeletes: try await self.queueForgottenDeletes(&round, on: connection)
        case .queueForgottenUsers: try await self.queueForgottenUsers(&round, on: connection)
        case .tellOfStoppedDeletes: try await self.tellOfStoppedDeletes(last: &round.toldOfStop, on: connection)
        case .rotateExpiring:
            let overlap = self.configuration.rotationOverlap
            _ = try await connection.query(
                ExpiringCredentials.rotate(overlap: overlap, limit: Self.rotationsPerStatement))
        case .queueDueJobs:
            _ = try await connection.query(Rescue.promote(limit: Self.jobsPerStatement))
            _ = try await connection.query(DeadJob.tryAgain(limit: Self.jobsPerStatement))
        case .rescueExpiredLeases: try await self.rescueExpiredLeases(&round, server, on: connection)
        case .rescueJobsOfDeadNodes: try await self.rescueJobsOfDeadNodes(&round, on: connection)
        }
    }

    /// What a clock that was wrong has left behind.
    private func cut(_ chore: Chore, on connection: PostgresConnection) async throws {
        switch chore {
        case .forgetSlices: _ = try await connection.query(ProviderLimits.forgetSlices)
        case .cutPauses: _ = try await connection.query(ProviderLimits.cutPauses)
        case .cutDueTimes:
            for statement in DueTimes.cut(interval: self.configuration.sweepInterval) {
                _ = try await connection.query(statement)
            }
        default: break
        }
    }

    private static let jobsPerStatement = 500
    private static let peoplePerStatement: Int64 = 500
    private static let quarantinePerStatement: Int64 = 500
    private static let countsPerStatement: Int64 = 5000
    private static let rotationsPerStatement: Int64 = 500

    /// HTTP deadline and provider margin: how long after it was sent a create may still appear at the provider.
    var landingTimeOfCreates: Duration { self.configuration.httpDeadline + self.configuration.providerMargin }

    /// Cancelled here: the names stay as they were read last.
    func readStrayNames(on connection: PostgresConnection) async throws {
        let asked = ContinuousClock.now
        let names = try await connection.query(Stray.names).map { try $0.decode(String.self) }
        self.strayNames.replace(with: names, asked: asked)
    }

    private func queueForgottenDeletes(_ round: inout Round, on connection: PostgresConnection) async throws {
        let place = round.place
        // After a failure the walk begins anew.
        round.place = ForgottenDeletes.Place()
        round.place = try ForgottenDeletes.nextPlace(
            after: try await connection.query(ForgottenDeletes.enqueue(after: place)))
    }

    private func queueForgottenUsers(_ round: inout Round, on connection: PostgresConnection) async throws {
        let place = round.user
        // After a failure the walk begins anew.
        round.user = ForgottenUsers.Place()
        let (next, queued) = try ForgottenUsers.nextPlace(
            after: try await connection.query(ForgottenUsers.enqueue(after: place)))
        round.user = next
        if queued > 0 {
            self.logger.notice("users waited without a job, and have one now", metadata: ["users": "\(queued)"])
        }
    }

    private func rescueExpiredLeases(
        _ round: inout Round, _ server: Incarnation, on connection: PostgresConnection
    ) async throws {
        let isWhole = Chore.wholeRescue.isDue(at: round.tick, of: self.configuration.pollInterval)
        var since: Int64 = 0
        if !isWhole, let last = round.rescuedTo, last.server == server.started {
            // A second (in microseconds) earlier, because the last rescue skips a row that another transaction has
            // locked.
            since = last.time - 1_000_000
        }
        let statement = Rescue.expiredLeases(
            limit: Self.jobsPerStatement, landingTime: self.landingTimeOfCreates, since: since)
        let count = try await connection.query(statement).count
        round.rescued += count
        self.metrics.leasesRescued.add(.leaseExpired, count)
        // A full batch may have left some leases unseen.
        if count < Self.jobsPerStatement { round.rescuedTo = (server.started, server.now) }
    }

    private func rescueJobsOfDeadNodes(_ round: inout Round, on connection: PostgresConnection) async throws {
        let gone: [WorkerID] = try await connection.query(Rescue.goneWorkers).map { row in
            var columns = row.columns
            return try columns.next()
        }
        guard !gone.isEmpty else { return }
        if self.identity.isAmong(gone) {
            // This worker lives, but its lock is lost. It goes on under a new id, whose lock nobody has seen held.
            self.identity.forget()
            self.throttledLog.log(
                "this node's lock was lost; its jobs are looked up, and its leases decide from now on")
        }
        let statement = Rescue.jobs(of: gone, limit: Self.jobsPerStatement, landingTime: self.landingTimeOfCreates)
        let count = try await connection.query(statement).count
        round.rescued += count
        self.metrics.leasesRescued.add(.workerGone, count)
    }
}
