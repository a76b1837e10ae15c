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

    /// Takes as many of `wanted` calls as the rate has room for within a second from now; of the account's a fifth is
    /// left for recovery (looks and deletes are not held up here). next_due: when the last call that was granted is due (the
    /// theoretical arrival time); the row lock orders the nodes.
    func take(_ wanted: Int, from scope: String) async -> Int {
        let rows = try? await self.pool.query(
            """
            with now as (select clock_timestamp() as at),
            budget as materialized (
                select p.scope, p.rate * \(Share.queue.part(of: scope)) as rate, greatest(p.next_due, now.at) as next_due, now.at
                from dialtone.provider_limits p, now where p.scope = \(scope) and p.rate is not null
                for no key update of p),
            grant_ as (
                select scope, rate, next_due,
                       greatest(0, least(\(wanted)::float8, ceil(rate * (1 - extract(epoch from next_due - at)))))::int as calls
                from budget)
            update dialtone.provider_limits p set next_due = g.next_due + g.calls / g.rate * interval '1 second'
            from grant_ g where p.scope = g.scope
            returning g.calls
            """)
        guard let calls = try? rows?.first?.decode(Int32.self) else { return wanted }
        return Int(calls)
    }

    /// Takes one call out of recovery's fifth, or, when that is spent, of what the queue has no use for: then it has
    /// taken nothing in advance.
    func takeToRecover(from scope: String) async -> Bool {
        let rows = try? await self.pool.query(
            """
            with now as (select clock_timestamp() as at),
            budget as materialized (
                select p.scope, p.rate, greatest(p.next_due, now.at) as next_due, greatest(p.recovery_next_due, now.at) as recovery_next_due,
                       coalesce(p.recovery_next_due < now.at + interval '1 second', true) as is_own,
                       coalesce(p.next_due <= now.at, true) as is_idle
                from dialtone.provider_limits p, now where p.scope = \(scope) and p.rate is not null
                for no key update of p),
            granted as (
                update dialtone.provider_limits p
                set recovery_next_due = case when b.is_own
                        then b.recovery_next_due + interval '1 second' / (b.rate * \(Share.recovery.part(of: scope)))
                        else p.recovery_next_due end,
                    next_due = case when b.is_own then p.next_due
                          else b.next_due + interval '1 second' / (b.rate * \(Share.queue.part(of: scope))) end
                from budget b where p.scope = b.scope and (b.is_own or b.is_idle)
                returning 1)
            select exists (select 1 from granted) or not exists (select 1 from budget)
            """)
        return (try? rows?.first?.decode(Bool.self)) ?? true
    }

    /// Failed here: that much of the rate is lost, once. What recovery had of the queue's it gives back as its own.
    func giveBack(_ count: Int, to scope: String, as share: Share = .queue) async {
        guard count > 0 else { return }
        let time: SQL = "\(Double(count)) / (rate * \(share.part(of: scope))) * interval '1 second'"
        let back: SQL =
            switch share {
            case .queue: "next_due = next_due - \(time)"
            case .recovery: "recovery_next_due = recovery_next_due - \(time)"
            }
        _ = try? await self.pool.query(
            "update dialtone.provider_limits set \(back) where scope = \(scope) and rate is not null")
    }
}

/// Out of which part of the account's rate a create is: what the queue may take, or what is left for recovery.
package enum Share: Sendable {
    case queue, recovery

    fileprivate func part(of scope: String) -> Double {
        guard scope == LimitScope.account.key else { return 1 }
        return switch self {
        case .queue: 0.8
        case .recovery: 0.2
        }
    }
}
