// SPDX-License-Identifier: Apache-2.0
// An operator tries events in quarantine again with today's mapping, once each, or drops them.

package import Foundation
package import Model
package import Postgres
import Queue
package import Vault

/// A replay is the ordinary writer's transaction over the body that was kept. It settles an event that is still open,
/// whoever else tries: another replay, or the sender who sends it again. A word's time is its own, or that of its
/// arrival, and never now.
package struct EventReplay: Sendable {
    private let pool: PostgresPool
    private let vault: Vault
    private let now: @Sendable () -> Date

    /// Events that are read at once. Each is settled by a transaction of its own.
    private static let pageSize: Int64 = 100

    package init(pool: PostgresPool, vault: Vault, now: @escaping @Sendable () -> Date = { Date() }) {
        self.pool = pool
        self.vault = vault
        self.now = now
    }

    /// Tries one event again. With `isDry` its transaction is rolled back. Nil: no such event was in quarantine.
    ///
    /// Cancelled here: the transaction is rolled back, and the event stays as it was.
    package func replay(_ id: EventID, isDry: Bool) async throws -> ReplayReport? {
        guard let row = try await self.pool.query(OpenEvent.select(id)).first else { return nil }
        var bodies = KeptBodies(pool: self.pool, vault: self.vault)
        return try await self.replay(try OpenEvent(row), isDry, &bodies)
    }

    /// Tries the open events of a source again, the first that came first. `tenant`: only those that name it.
    /// `reason`: only those. An error ends the run, and what was done before it is reported.
    ///
    /// Cancelled here: what was settled before stays so.
    package func replay(
        of source: SourceID, tenant: TenantID? = nil, reason: String?, isDry: Bool
    ) async -> ReplayRun {
        var run = ReplayRun()
        var bodies = KeptBodies(pool: self.pool, vault: self.vault)
        var last: OpenEvent?
        do {
            while true {
                let page = try await self.pool.query(
                    OpenEvent.page(of: source, tenant: tenant, reason: reason, after: last, limit: Self.pageSize)
                ).map { try OpenEvent($0) }
                for event in page { run.reports.append(try await self.replay(event, isDry, &bodies)) }
                guard page.count == Self.pageSize, let end = page.last else { return run }
                last = end
            }
        } catch {
            run.failure = error
            return run
        }
    }

    package enum Drop: Sendable, Equatable {
        case dropped
        /// Something else had settled it: the reason, in words.
        case settled(String)
        /// It never was in quarantine.
        case unknown
    }

    /// Takes an event out of quarantine unused.
    ///
    /// Cancelled here: the transaction is rolled back, and the event stays.
    package func drop(_ id: EventID) async throws -> Drop {
        try await self.pool.withTransaction { connection in
            _ = try await connection.query(QuarantinedBody.lock(of: [id]))
            guard let row = try await connection.query(OpenEvent.select(id)).first else { return .unknown }
            if let other = try OpenEvent(row).settledBy { return .settled(Self.words(settledBy: other)) }
            try await ReplayWriting.pass(id, by: "dropped", on: connection)
            return .dropped
        }
    }

    // MARK: One event

    private func replay(
        _ event: OpenEvent, _ isDry: Bool, _ bodies: inout KeptBodies
    ) async throws -> ReplayReport {
        if let other = event.settledBy { return event.report(.settled, Self.words(settledBy: other)) }
        do {
            guard let source = try await bodies.source(of: event) else {
                return event.report(.impossible, "its source is not there any more")
            }
            guard let request = try await bodies.request(of: event, from: source, now: self.now()) else {
                return event.report(.impossible, source.whyNoBody)
            }
            let reading = ReplayReading(event, request, by: source)
            var writing = ReplayWriting(event: event, source: source, reading: reading)
            writing.names = try await writing.sealedNames(by: NameSealing(vault: self.vault), in: self.pool)
            return try await writing.run(in: self.pool, isDry: isDry)
        } catch let error as InvalidValue {
            return event.report(.impossible, ReplaySource.whyUnreadable(error))
        } catch let error where error is CannotOpen || error is DecodingError {
            return event.report(.impossible, "its body cannot be opened")
        } catch let error as PostgresError where error.isRefusedForGood {
            return event.report(.stays, "the database does not take a value of it")
        }
    }

    static func words(settledBy other: String) -> String {
        switch other {
        case "replay": "it was replayed before"
        case "resend": "its sender has sent it again, and it counted"
        case "map": "its organisation was mapped, and it counted"
        case "dropped": "it was dropped"
        case "expired": "its time in quarantine is over, and its body is gone"
        default: "it is settled"
        }
    }
}

extension OpenEvent {
    func report(_ outcome: ReplayReport.Outcome, _ reason: String?, now: ReplayReport.Now? = nil) -> ReplayReport {
        ReplayReport(event: self.id, outcome: outcome, reason: reason, then: self.read, now: now)
    }
}
