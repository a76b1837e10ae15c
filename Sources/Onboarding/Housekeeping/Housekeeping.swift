// SPDX-License-Identifier: Apache-2.0
// Everything that time alone makes due: back-offs that end, leases that run out, servers and nodes that are not the
// same.

import Foundation
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx

extension OnboardingWorker {
    /// The jittered poll. Each tick is one round trip; nothing here is in a hurry, and every statement may be repeated.
    ///
    /// Cancelled here: the tick ends where it is.
    func housekeep() async {
        var round = Round()
        while !Task.isCancelled {
            var pause = self.configuration.pollInterval * Double.random(in: 0.75..<1.25)
            do {
                try await self.pool.withConnection { try await self.tick(&round, on: $0) }
                // A server that was just adopted is met at once: nothing is claimed before.
                if self.identity.terms == nil { pause = min(pause, .milliseconds(50)) }
            } catch {
                self.logger.debug("housekeeping waits for the database", metadata: ["error": "\(error)"])
            }
            self.wakeup.signal()
            self.due.signal()
            try? await Task.sleep(for: pause)
        }
    }

    /// Which tick it is, and what the ticks before have seen.
    private struct Round {
        var ticks = 0
        /// Every lease that was over then has been rescued, by the clock of the server that started at `server`.
        var rescuedTo: (server: Int64, time: Int64)?
        var place = UserPlace()
    }

    private func tick(_ round: inout Round, on connection: PostgresConnection) async throws {
        guard let server = try await self.checkServer(on: connection) else { return }
        defer { round.ticks += 1 }
        try await self.tidy(&round, on: connection)
        try await self.promoteAndRescue(&round, server, on: connection)
    }

    /// Jobs whose time has come, whose lease is over, or whose worker is gone.
    private func promoteAndRescue(
        _ round: inout Round, _ server: Incarnation, on connection: PostgresConnection
    ) async throws {
        let landingTime = self.configuration.httpDeadline + self.configuration.providerMargin
        // A second more, for a row that somebody had locked; and half a minute without a look at all leases is enough,
        // should a clock ever have gone back.
        let isWhole = round.ticks.isMultiple(of: 60) || round.rescuedTo?.server != server.started
        let since = isWhole ? 0 : (round.rescuedTo?.time ?? 0) - 1_000_000
        let answers = try await connection.pipeline([
            [JobQueue.promote(limit: 500)],
            [JobQueue.rescue(limit: 500, landingTime: landingTime, since: since)],
            [JobQueue.goneWorkers],
        ])
        self.tell(answers)
        var rescued = try answers[1][0].get().count
        if rescued < 500 { round.rescuedTo = (server.started, server.now) }
        let gone: [WorkerID] = try answers[2][0].get().map { row in
            var columns = row.columns
            return try columns.next()
        }
        if let own = self.identity.terms?.worker, gone.contains(own) {
            // Alive, and without the connection that would say so: from now on under a name that promises none.
            self.identity.forget()
            self.throttledLog.log(
                "this node's lock was lost; its jobs are looked up, and its leases decide from now on")
        }
        if !gone.isEmpty {
            rescued += try await connection.query(JobQueue.rescue(from: gone, limit: 500, landingTime: landingTime))
                .count
        }
        if rescued > 0 {
            self.logger.notice("leases were lost, jobs are in doubt", metadata: ["jobs": "\(rescued)"])
        }
    }

    /// What need not be done at every tick.
    private func tidy(_ round: inout Round, on connection: PostgresConnection) async throws {
        let ticks = round.ticks
        var statements: [SQL] = []
        if ticks.isMultiple(of: 2) { statements.append(Presence.watch) }
        if ticks % 10 == 3 { statements.append(Surplus.disown) }
        if ticks % 120 == 7 { statements.append(Presence.forget) }
        if ticks.isMultiple(of: 7200) { statements.append("select dialtone.ensure_job_log_partitions()::text") }
        if !statements.isEmpty { self.tell(try await connection.pipeline(statements.map { [$0] })) }
        if ticks % 10 == 3 {
            let answers = try await connection.pipeline([[Self.enqueueForgotten(after: round.place)]])
            self.tell(answers)
            let last = try? answers[0][0].get().first?.decode(Int64.self, String.self, String.self)
            round.place =
                last.map { $0.0 < Self.pageSize ? UserPlace() : UserPlace(tenant: $0.1, user: $0.2) } ?? UserPlace()
        }
    }

    /// Each of these stands alone: one that fails is told, and does not keep the others from their work.
    private func tell(_ answers: [[Result<PostgresRows, PostgresError>]]) {
        for case .failure(let error) in answers.joined() {
            self.logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
        }
    }

    /// Is the server the one this worker knows? If not, nothing is claimed until the ledger says what the change means.
    /// Answers the server.
    private func checkServer(on connection: PostgresConnection) async throws -> Incarnation? {
        guard let row = try await connection.query(Incarnation.current).first else { return nil }
        let server = try Incarnation.read(row)
        guard server.installation == self.installation else {
            self.identity.forget()
            self.throttledLog.log(
                "this ledger is another installation's now; start the worker anew", level: .error,
                ["installation": "\(server.installation)"])
            return server
        }
        if server.isKnown && self.identity.knows(server.started) { return server }
        self.identity.forget()
        if !server.isKnown {
            let landingTime = self.configuration.httpDeadline + self.configuration.providerMargin
            let rows = try await connection.query(
                Incarnation.adopt(lease: self.configuration.lease, landingTime: landingTime))
            if let change = try rows.first.map(Incarnation.read)?.change, change != "first" {
                self.logger.warning(
                    "the database server has changed; every create looks first until a full sweep has ended",
                    metadata: ["change": "\(change)"])
            }
            return server  // another node may have written it; the next tick reads it
        }
        try await self.identity.meet(server.started, on: connection)
        return server
    }

    /// Users with a credential to delete and no job that would: what a result left behind that came after its job's
    /// end. A page at a time, for a million may wait that have their jobs; answers how many rows the page had and where
    /// it ends. Index credentials_closing. A job too many ends by itself.
    private static func enqueueForgotten(after place: UserPlace) -> SQL {
        """
        with page as materialized (
            select c.tenant_id, c.user_id, c.generation, c.close_after from dialtone.credentials c
            where c.status = 'closing' and (c.tenant_id, c.user_id) > (\(place.tenant), \(place.user))
            order by c.tenant_id, c.user_id limit \(Self.pageSize)),
        forgotten as (
            select distinct on (c.tenant_id, c.user_id) c.tenant_id, c.user_id, c.generation,
                   \(ServerClock.now) as place, clock_timestamp() as enqueued_at
            from page c
            where (c.close_after is null or c.close_after <= statement_timestamp())
              and not exists (select 1 from dialtone.jobs j where j.tenant_id = c.tenant_id and j.user_id = c.user_id)
            order by c.tenant_id, c.user_id, c.generation),
        enqueued as (\(JobQueue.enqueue(from: "forgotten")))
        select count(*) over (), tenant_id, user_id from page order by tenant_id desc, user_id desc limit 1
        """
    }

    private static let pageSize = 1000

    /// Where the walk over all that is to be deleted stands.
    private struct UserPlace {
        var tenant = ""
        var user = ""
    }

    // MARK: Surplus

    /// Deletes surplus at the provider, one after another, once committed rows prove that it is.
    ///
    /// Cancelled here: whether a delete happened is asked again by the next, whose 404 is as good.
    func deleteSurplus() async {
        while !Task.isCancelled {
            if self.identity.terms != nil, (try? await self.provider.limits.allowsCalls()) ?? false {
                let deletion = SurplusDeletion(pool: self.pool, provider: self.provider)
                if let tried = try? await deletion.run(limit: 16).tried, tried == 16 { continue }
            }
            try? await Task.sleep(for: .seconds(1) * Double.random(in: 0.75..<1.25))
        }
    }
}

/// Deletes what `Surplus.due` allows.
struct SurplusDeletion: Sendable {
    let pool: PostgresPool
    let provider: GuardedProvider

    /// Answers how many were tried, and how many are gone. Each is taken just before its call, so that the rows that
    /// prove it to be surplus are as new as can be.
    func run(limit: Int) async throws -> (tried: Int, gone: Int) {
        let witness = Witness(pool: self.pool, provider: self.provider)
        var (tried, gone) = (0, 0)
        while tried < limit {
            guard let row = try await self.pool.query(Surplus.due(hold: .seconds(60))).first else { break }
            let id: ProviderID = ProviderID(rawValue: try row.decode(String.self))
            tried += 1
            var isGone = false
            do throws(TelnyxFailure) {
                _ = try await self.provider.delete(id)
                isGone = true
            } catch  where error.isNotFound {
                isGone = await witness.speaksForAccount(without: id)
            } catch {
                isGone = false
            }
            _ = try await self.pool.query(isGone ? Surplus.deleted(id) : Surplus.failed(id))
            if isGone { gone += 1 }
        }
        return (tried, gone)
    }
}
