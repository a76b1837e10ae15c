// SPDX-License-Identifier: Apache-2.0
// The rate, of the account and of a tenant's connection: one row for all nodes, by the generic cell rate algorithm.

// `next_due` is when the next call is due; the algorithm calls it the theoretical arrival time. A call is granted when
// that time is less than a second ahead, and moves it by 1 / rate. So a scope that was idle may send at most one
// second's calls at once. Of the account's rate a fifth is left for recovery, which has `recovery_next_due`. Looks and
// deletes are not held up here.

import Postgres

extension ProviderLimits {
    /// Takes as many of `wanted` calls as the rate has room for within a second from now. Returns how many it took.
    func take(_ wanted: Int, from scope: String) async -> Int {
        let rows = try? await self.pool.query(
            """
            with clock as (select clock_timestamp() as moment),
            -- Locks the scope's row, found by its primary key, so that the nodes take one after the other.
            budget as materialized (
                select provider_limits.scope,
                       provider_limits.rate * \(Share.queue.part(of: scope)) as rate,
                       -- What an idle scope did not use is not saved up.
                       greatest(provider_limits.next_due, clock.moment) as next_due,
                       clock.moment
                from dialtone.provider_limits, clock
                where provider_limits.scope = \(scope) and provider_limits.rate is not null
                for no key update of provider_limits),
            granted as (
                select scope, rate, next_due,
                       -- The calls that fit between next_due and a second from now.
                       greatest(0, least(\(wanted)::float8,
                                         ceil(rate * (1 - extract(epoch from next_due - moment)))))::int as calls
                from budget)
            update dialtone.provider_limits
            set next_due = granted.next_due + granted.calls / granted.rate * interval '1 second'
            from granted where provider_limits.scope = granted.scope
            returning granted.calls
            """)
        // Without a row the scope has no rate any more; without an answer the database cannot say. Both grant all.
        guard let calls = try? rows?.first?.decode(Int32.self) else { return wanted }
        return Int(calls)
    }

    /// Takes one call out of recovery's fifth of the rate. Returns whether it may go.
    ///
    /// When the fifth is used up, recovery may take a call of the queue's, but only one that the queue has no use for.
    /// That is the case when the queue has taken nothing in advance.
    func takeToRecover(from scope: String) async -> Bool {
        let rows = try? await self.pool.query(
            """
            with clock as (select clock_timestamp() as moment),
            -- Locks the scope's row, found by its primary key, so that the nodes take one after the other.
            budget as materialized (
                select provider_limits.scope,
                       provider_limits.rate,
                       greatest(provider_limits.next_due, clock.moment) as next_due,
                       greatest(provider_limits.recovery_next_due, clock.moment) as recovery_next_due,
                       coalesce(provider_limits.recovery_next_due < clock.moment + interval '1 second', true) as is_own,
                       coalesce(provider_limits.next_due <= clock.moment, true) as is_idle
                from dialtone.provider_limits, clock
                where provider_limits.scope = \(scope) and provider_limits.rate is not null
                for no key update of provider_limits),
            granted as (
                update dialtone.provider_limits
                set recovery_next_due = case when budget.is_own
                        then budget.recovery_next_due
                             + interval '1 second' / (budget.rate * \(Share.recovery.part(of: scope)))
                        else provider_limits.recovery_next_due end,
                    next_due = case when budget.is_own then provider_limits.next_due
                        else budget.next_due
                             + interval '1 second' / (budget.rate * \(Share.queue.part(of: scope))) end
                from budget where provider_limits.scope = budget.scope and (budget.is_own or budget.is_idle)
                returning 1)
            -- A scope whose rate was just taken away has no budget, and needs none.
            select exists (select 1 from granted) or not exists (select 1 from budget)
            """)
        return (try? rows?.first?.decode(Bool.self)) ?? true
    }

    /// Gives back calls that were taken and not made. Calls that recovery took from the queue's share come back as
    /// recovery's own.
    ///
    /// Failed here: that much of the rate is lost, once.
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
