// SPDX-License-Identifier: Apache-2.0
// The worker's part in a change of the server: it notices the change, has it written down, and becomes a new worker.

import Foundation
import Logging
import Postgres
import Telemetry

extension OnboardingWorker {
    /// Compares the server that answers with the one this worker knows.
    ///
    /// When they differ, the worker claims nothing until the ledger says what the change means. Returns the server that
    /// answers; nil when the ledger has no installation.
    ///
    /// Cancelled here: the worker claims nothing until the next tick.
    func adoptServerIfChanged(on connection: PostgresConnection) async throws -> Incarnation? {
        guard let row = try await connection.query(Incarnation.current).first else { return nil }
        let server = try Incarnation.read(row)
        guard server.installation == self.installation else {
            self.identity.forget()
            self.throttledLog.log(
                "this ledger is another installation's now; start the worker anew", level: .error,
                ["installation": "\(server.installation)"])
            return server
        }
        let era = server.isKnown ? server.era : nil
        if let era, self.identity.knows(era) { return server }
        self.identity.forget()
        if let era {
            _ = try await connection.query(Incarnation.makeTagsDue)
            // A worker that knows no names of strays would look before every create.
            try await self.readStrayNames(on: connection)
            try await self.identity.meet(era, on: connection)
        } else {
            // Another node may have written the row first; the next tick reads what is committed.
            try await self.adoptServer(on: connection)
        }
        return server
    }

    /// Lets readiness show whether deletes are stopped, and logs it every ten minutes. Until an operator acts, no
    /// revoke is carried out.
    ///
    /// Cancelled here: the next turn tells it.
    func tellOfStoppedDeletes(
        last: inout ContinuousClock.Instant?, on connection: PostgresConnection
    ) async throws {
        let stopped = try await connection.query("select 1 from dialtone.incarnation where is_stopped")
        self.metrics.worker?.note(stoppedDeletes: stopped.isEmpty ? nil : Self.stoppedDeletes)
        let isNews = last.map { .now >= $0 + .seconds(600) } ?? true
        guard !stopped.isEmpty, isNews else {
            if stopped.isEmpty { last = nil }
            return
        }
        last = .now
        self.logger.error("\(Self.stoppedDeletes)")
    }

    private static let stoppedDeletes = """
        nothing is deleted at the provider, because this database may be a copy; no revoke is carried out until you \
        say what it is: dialtone installation confirm
        """

    /// Throws `ServerIdentityHidden` when the server refuses to be asked which one it is.
    ///
    /// Cancelled here: the server is adopted or not. The next tick reads which.
    private func adoptServer(on connection: PostgresConnection) async throws {
        let identity = self.configuration.serverIdentity
        let rows: PostgresRows
        do throws(PostgresError) {
            rows = try await connection.query(
                Incarnation.adopt(
                    by: identity, lease: self.configuration.lease, landingTime: self.landingTimeOfCreates))
        } catch {
            // A server that refuses one of the functions is told apart, because an operator must act.
            if error.code == .server && !error.isUnavailable { try await identity.verify(on: connection) }
            throw error
        }
        guard let change = try rows.first.map(Incarnation.read)?.change, change != "first" else { return }
        self.logger.warning(
            "the database server has changed; creates look first until their tenant's tags have been listed",
            metadata: ["change": "\(change)"])
    }
}
