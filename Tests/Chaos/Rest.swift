// SPDX-License-Identifier: Apache-2.0
// After the last round: until nothing is to be done any more, and what it took to get there.

import Composition
import Foundation
import Model
import Postgres

struct Rest {
    /// What sweeps at the end found and put right.
    struct Repaired: Encodable {
        var sweeps = 0
        var surplus = 0
        var surplusDeleted = 0
        var toldToLook = 0
        var reopened = 0
        var missing = 0
        var reprovisioned = 0
        var enqueued = 0
        var revived = 0
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
            self.revived += report.revived
            self.strays += report.strays
        }
    }

    /// Users who had to be tried again, as an operator would, and how often that was done.
    private(set) var triedAgain: Set<UserKey> = []
    private(set) var retries = 0
    /// Scopes that were closed, or half open, because of refusals when the last round was over.
    private(set) var breakersOpen = 0
    private(set) var repaired = Repaired()

    static func reach(_ town: Town, _ watch: Watch, _ pool: PostgresPool) async throws -> Rest {
        var rest = Rest()
        rest.breakersOpen = try await pool.number(
            "select count(*) from dialtone.provider_limits where breaker <> 'closed'")
        try await Self.until("the last create", within: .seconds(60)) { try await town.counts().unsettled == 0 }
        // By themselves: neither a sweep of ours nor a retry has helped anybody so far.
        try await Self.until("the end of all jobs", within: .seconds(420)) {
            try await pool.number("select count(*) from dialtone.jobs") == 0
        }
        watch.remember(try await pool.query(Watch.forgotten).map { try $0.decode(String.self, String.self) })
        var quiet = 0
        let deadline = ContinuousClock.now + .seconds(300)
        while quiet < 2 {
            guard ContinuousClock.now < deadline else { throw ChaosError.late("the last sweep") }
            quiet = (try? await rest.isQuiet(town, pool)) ?? false ? quiet + 1 : 0
            try await Task.sleep(for: .seconds(1))
        }
        return rest
    }

    /// What fails on the way, because a server is still coming back, is asked again.
    private static func until(
        _ what: String, within time: Duration, _ isReached: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + time
        while (try? await isReached()) != true {
            guard ContinuousClock.now < deadline else { throw ChaosError.late(what) }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Tries failed users again, sweeps to the end, and says whether that found nothing and nothing is left.
    private mutating func isQuiet(_ town: Town, _ pool: PostgresPool) async throws -> Bool {
        for row in try await pool.query("select tenant_id, user_id from dialtone.users where status = 'failed'") {
            let (tenant, user) = try row.decode(String.self, String.self)
            let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
            self.triedAgain.insert(key)
            self.retries += 1
            _ = try? await Administration(town.settings).retry(key)
        }
        var options = SweepOptions()
        options.isConfirmed = true
        let report = try await Administration(town.settings).sweep(options)
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
    func number(_ statement: SQL) async throws -> Int {
        guard let row = try await self.query(statement).first else { return 0 }
        let count: Int64 = try row.decode(Int64.self)
        return Int(count)
    }
}
