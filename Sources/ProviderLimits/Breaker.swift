// SPDX-License-Identifier: Apache-2.0
// Breakers and pauses: what shuts a scope for all nodes, and how it opens again, by 1, 2, 4 … creates.

import Postgres
import Synchronization

extension ProviderLimits {
    // MARK: Half open

    /// How many creates this node may send through a broken scope: from the probe it holds, or from one it takes now.
    func probe(_ scope: String, wanted: Int) async -> Int {
        if let left = self.draw(scope, wanted) { return left }
        // The row lock lets one of those who ask have it; the others find probe_until ahead of them.
        let rows = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set breaker = 'half_open',
                probe_until = clock_timestamp() + \(Self.probeLease)
            where scope = \(scope) and breaker <> 'closed' and coalesce(probe_until <= clock_timestamp(), true)
            returning allowance
            """)
        guard let allowance = try? rows?.first?.decode(Int32.self) else { return 0 }
        self.state.withLock { state in
            state.probes[scope] = Probe(left: allowance, until: .now + Self.probeLease)
        }
        return self.draw(scope, wanted) ?? 0
    }

    func draw(_ scope: String, _ wanted: Int) -> Int? {
        self.state.withLock { state in
            guard let probe = state.probes[scope], probe.until > .now, probe.left > 0 else { return nil }
            let drawn = min(Int32(wanted), probe.left)
            state.probes[scope]?.left -= drawn
            return Int(drawn)
        }
    }

    /// A create worked. Costs nothing while no breaker is open and no refusal is counted.
    package func succeeded(connection: String) async {
        let scopes = [LimitScope.account.key, LimitScope.connection(connection).key]
        let (proven, isCounted) = self.state.withLock { state -> ([String], Bool) in
            var proven: [String] = []
            for scope in scopes where state.probes[scope] != nil {
                // One that worked is enough: a refusal would have shut the breaker for all.
                state.probes[scope] = nil
                proven.append(scope)
            }
            let isCounted = state.known.map { !$0.counted.isDisjoint(with: scopes) } ?? false
            return (proven, isCounted)
        }
        guard !proven.isEmpty || isCounted else { return }
        _ = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set allowance = case when scope = any(\(proven)) then allowance * 2 else allowance end,
                probe_until = case when scope = any(\(proven)) then clock_timestamp() else probe_until end,
                breaker = case when scope = any(\(proven)) and allowance * 2 >= \(Self.closesAt) then 'closed' else breaker end,
                rejects = 0, reject_user = null
            where scope = any(\(scopes)) and (rejects > 0 or scope = any(\(proven)))
            """)
        self.forget()
    }

    // MARK: Telling

    /// Pauses a scope for all nodes. A pause is only ever extended.
    ///
    /// Cancelled or failed here: the job that met the 429 waits all the same, and the next one meets it again.
    package func pause(_ scope: LimitScope, for wait: Duration) async {
        // The primary key is the arbiter; the row lock orders two nodes, greatest() makes their order not matter.
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, paused_until)
            values (\(scope.key), clock_timestamp() + \(wait))
            on conflict (scope) do update set paused_until = greatest(p.paused_until, excluded.paused_until)
            """)
        self.forget()
    }

    /// Opens the breaker of a scope: nothing more is sent there until a probe works. Answers how long that is at least.
    @discardableResult
    package func openBreaker(_ scope: LimitScope, reason: String) async -> Duration {
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, breaker, opened_at, probe_until, allowance, reason)
            values (\(scope.key), 'open', clock_timestamp(),
                    clock_timestamp() + \(Self.coolDown), 1, \(reason))
            on conflict (scope) do update
            set breaker = 'open', probe_until = excluded.probe_until, allowance = 1, reason = excluded.reason,
                opened_at = case when p.breaker = 'closed' then excluded.opened_at else p.opened_at end
            """)
        self.state.withLock { $0.probes[scope.key] = nil }
        self.forget()
        return Self.coolDown
    }

    /// A create was refused with this code for this user. When it is one of several users in a row, the connection's
    /// breaker opens, and this answers how long nothing is sent.
    package func rejected(connection: String, code: String, user: String) async -> Duration? {
        let scope = LimitScope.connection(connection)
        let rows = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, rejects, reject_code, reject_user)
            values (\(scope.key), 1, \(code), \(user))
            on conflict (scope) do update
            set rejects = case when p.reject_code is distinct from excluded.reject_code then 1
                               when p.reject_user = excluded.reject_user then p.rejects else p.rejects + 1 end,
                reject_code = excluded.reject_code, reject_user = excluded.reject_user
            returning rejects
            """)
        self.forget()
        guard let rejects = try? rows?.first?.decode(Int32.self), rejects >= Self.maximumRejects else { return nil }
        return await self.openBreaker(scope, reason: "refused for \(rejects) users in a row: \(code)")
    }

    func forget() {
        self.state.withLock { state in
            state.known = nil
            state.changes += 1
        }
    }
}
