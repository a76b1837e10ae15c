// SPDX-License-Identifier: Apache-2.0
// The rate, of the account and of a tenant's connection: one row for all nodes, by the generic cell rate algorithm.

import Postgres

/// A scope's limits, as an operator sees them.
package struct ProviderLimit: Sendable {
    /// `account`, or `connection:<id>`.
    package let scope: String
    /// Calls per second; nil for no limit.
    package let rate: Double?
    /// `closed`, `open` or `half_open`.
    package let breaker: String
    /// Why the breaker opened.
    package let reason: String?
    /// Seconds until something may be sent again; nil when it may now.
    package let waitSeconds: Double?
}

extension ProviderLimits {
    /// Sets a scope's rate, in calls per second for all nodes together; nil takes it away.
    package func setRate(_ rate: Double?, for scope: LimitScope = .account) async throws {
        _ = try await self.pool.query(
            """
            insert into dialtone.provider_limits (scope, rate) values (\(scope.key), \(rate))
            on conflict (scope) do update set rate = excluded.rate where provider_limits.rate is distinct from excluded.rate
            """)
        self.forget()
    }

    /// Every scope that has a limit, a pause or a breaker that is not closed.
    package func list() async throws -> [ProviderLimit] {
        let rows = try await self.pool.query(
            """
            select scope, rate, breaker, case when breaker <> 'closed' then reason end,
                   (extract(epoch from greatest(paused_until, case when breaker <> 'closed' then probe_until end)
                                       - statement_timestamp()))::float8
            from dialtone.provider_limits
            where rate is not null or breaker <> 'closed' or paused_until > statement_timestamp()
            order by scope
            """)
        return try rows.map { row in
            let (scope, rate, breaker, reason, wait) = try row.decode(
                String.self, Double?.self, String.self, String?.self, Double?.self)
            return ProviderLimit(
                scope: scope, rate: rate, breaker: breaker, reason: reason,
                waitSeconds: wait.flatMap { $0 > 0 ? $0 : nil })
        }
    }

    /// Takes as many of `wanted` calls as the rate has room for within a second from now; of the account's a fifth is left for
    /// recovery, whose creates may be taken a quarter of a second and a call further in advance than the queue's, however slow
    /// the rate (looks and deletes are not held up here). tat: when the last call that was granted is due (the theoretical arrival
    /// time); the row lock orders the nodes.
    func take(_ wanted: Int, from scope: String, leavingShare: Bool = true) async -> Int {
        let (share, ahead, calls) = leavingShare ? (0.8, 1.0, 0.0) : (1.0, 1.25, 1.25)
        let rows = try? await self.pool.query(
            """
            with now as (select clock_timestamp() as at),
            budget as materialized (
                select p.scope, p.rate * case when p.scope = 'account' then \(share) else 1 end as rate, greatest(p.tat, now.at) as tat, now.at
                from dialtone.provider_limits p, now where p.scope = \(scope) and p.rate is not null
                for no key update of p),
            grant_ as (
                select scope, rate, tat,
                       greatest(0, least(\(wanted)::float8, ceil(rate * (\(ahead) - extract(epoch from tat - at)) + \(calls))))::int as calls
                from budget)
            update dialtone.provider_limits p set tat = g.tat + g.calls / g.rate * interval '1 second'
            from grant_ g where p.scope = g.scope
            returning g.calls
            """)
        guard let calls = try? rows?.first?.decode(Int32.self) else { return wanted }
        return Int(calls)
    }

    /// Failed here: that much of the rate is lost, once.
    func giveBack(_ count: Int, to scope: String) async {
        guard count > 0 else { return }
        _ = try? await self.pool.query(
            """
            update dialtone.provider_limits set tat = tat - \(Double(count)) / (rate * case when scope = 'account' then 0.8 else 1 end) * interval '1 second'
            where scope = \(scope) and rate is not null
            """)
    }
}

extension Duration {
    /// Whole milliseconds, for an SQL interval.
    var milliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}
