// SPDX-License-Identifier: Apache-2.0
// The time after the last round, until nothing is left to do, and what that took.

import Composition
import Foundation
import Model
import Postgres

/// How a deployment comes to rest.
///
/// First it must do so by itself: every create has landed and every job has ended, without a sweep or a retry of ours.
/// Only then are failed users tried again and sweeps run, until two sweeps in a row find nothing.
struct Settling {
    /// The differences that sweeps at the end found and put right.
    struct Repaired: Encodable {
        var sweeps = 0
        var surplus = 0
        var surplusDeleted = 0
        var toldToLook = 0
        var reopened = 0
        var missing = 0
        var reprovisioned = 0
        var enqueued = 0
        var strays = 0

        fileprivate mutating func add(_ report: SweepReport) {
            self.sweeps += 1
            self.surplus += report.surplus
            self.surplusDeleted += report.surplusDeleted
            self.toldToLook += report.evidence
            self.reopened += report.reopened
            self.missing += report.missing
            self.reprovisioned += report.reprovisioned
            self.enqueued += report.enqueued
            self.strays += report.strays
        }
    }

    /// Users who had to be tried again, as an operator would, and how often that was done.
    private(set) var triedAgain: Set<UserKey> = []
    private(set) var retries = 0
    /// Breakers that were open, or half open, because of refusals when the last round was over.
    private(set) var breakersOpen = 0
    private(set) var repaired = Repaired()

    /// Waits until the deployment is at rest. Throws when it takes too long.
    static func reach(_ deployment: Deployment, _ watch: Watch, _ pool: PostgresPool) async throws -> Settling {
        var settling = Settling()
        settling.breakersOpen = try await pool.number(
            "select count(*) from dialtone.provider_limits where breaker <> 'closed'")
        try await Self.until("the last create", within: .seconds(60)) { try await deployment.counts().unsettled == 0 }
        // The jobs end by themselves: neither a sweep of ours nor a retry has helped so far.
        try await Self.until("the end of all jobs", within: .seconds(420)) {
            try await pool.number("select count(*) from dialtone.jobs where state <> 'dead'") == 0
        }
        watch.remember(try await pool.query(Watch.forgotten).map { try $0.decode(String.self, String.self) })
        var quiet = 0
        let deadline = ContinuousClock.now + .seconds(300)
        while quiet < 2 {
            guard ContinuousClock.now < deadline else { throw ChaosError.late("the last sweep") }
            quiet = (try? await settling.isQuiet(deployment, pool)) ?? false ? quiet + 1 : 0
            try await Task.sleep(for: .seconds(1))
        }
        return settling
    }

    /// Asks until this is reached. An attempt that fails is repeated, because a server may still be coming back.
    private static func until(
        _ what: String, within time: Duration, _ isReached: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + time
        while (try? await isReached()) != true {
            guard ContinuousClock.now < deadline else { throw ChaosError.late(what) }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Tries failed users again and sweeps to the end. Returns whether the sweep found nothing and nothing is left.
    private mutating func isQuiet(_ deployment: Deployment, _ pool: PostgresPool) async throws -> Bool {
        for row in try await pool.query("select tenant_id, user_id from dialtone.users where status = 'failed'") {
            let (tenant, user) = try row.decode(String.self, String.self)
            let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
            self.triedAgain.insert(key)
            self.retries += 1
            _ = try? await Administration(deployment.settings).retry(key)
        }
        var options = SweepOptions()
        options.isConfirmed = true
        let report = try await Administration(deployment.settings).sweep(options)
        self.repaired.add(report)
        let open = try await pool.number(
            """
            select (select count(*) from dialtone.jobs)
                 + (select count(*) from dialtone.surplus where deleted_at is null)
                 + (select count(*) from dialtone.users where status not in ('ready', 'revoked'))
            """)
        return open == 0 && report.surplus + report.missing + report.reprovisioned + report.reopened == 0
    }
}

extension PostgresPool {
    /// Returns the number in the first row; 0 without a row.
    func number(_ statement: SQL) async throws -> Int {
        guard let row = try await self.query(statement).first else { return 0 }
        let count: Int64 = try row.decode(Int64.self)
        return Int(count)
    }
}
