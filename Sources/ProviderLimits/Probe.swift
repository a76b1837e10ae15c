// SPDX-License-Identifier: Apache-2.0
// How a breaker closes again: one node probes with 1, 2, 4 and more creates, until enough of them have worked.

import Postgres
import Synchronization

extension ProviderLimits {
    /// Returns how many of `wanted` creates this node may send through a breaker that is not closed. They come from the
    /// probe it holds, or from the probe it takes now.
    func probe(_ scope: String, wanted: Int) async -> Int {
        if let left = self.draw(scope, wanted) { return left }
        let rows = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set breaker = 'half_open',
                probe_until = clock_timestamp() + \(Self.probeLease)
            -- Of the nodes that ask together, the row's lock lets one have the probe. PostgreSQL tests the condition
            -- again for the others, and they find probe_until ahead of them.
            where scope = \(scope) and breaker <> 'closed' and coalesce(probe_until <= clock_timestamp(), true)
            returning allowance
            """)
        guard let allowance = try? rows?.first?.decode(Int32.self) else { return 0 }
        self.state.withLock { state in
            state.probes[scope] = Probe(left: allowance, until: .now + Self.probeLease)
        }
        return self.draw(scope, wanted) ?? 0
    }

    /// Takes creates from the probe that this node holds. Returns nil when it holds none, or has used it up.
    private func draw(_ scope: String, _ wanted: Int) -> Int? {
        self.state.withLock { state in
            guard let probe = state.probes[scope], probe.until > .now, probe.left > 0 else { return nil }
            let drawn = min(Int32(wanted), probe.left)
            state.probes[scope]?.left -= drawn
            return Int(drawn)
        }
    }

    /// Notes that a create worked. Costs nothing while no breaker is open and no refusal is counted.
    package func succeeded(connection: String, tenant: String? = nil) async {
        let own: [LimitScope] = [.account, .connection(connection)] + (tenant.map { [.tenant($0)] } ?? [])
        let scopes = own.map(\.key)
        let (proven, isCounted) = self.state.withLock { state -> ([String], Bool) in
            var proven: [String] = []
            for scope in scopes where state.probes[scope] != nil {
                // One create that worked is enough: a refusal would have opened the breaker for all.
                state.probes[scope] = nil
                proven.append(scope)
            }
            let isCounted = state.known.map { !$0.counted.isDisjoint(with: scopes) } ?? false
            return (proven, isCounted)
        }
        guard !proven.isEmpty || isCounted else { return }
        let rows = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set allowance = case when scope = any(\(proven)) then allowance * 2 else allowance end,
                -- The next probe may begin at once, on any node.
                probe_until = case when scope = any(\(proven)) then clock_timestamp() else probe_until end,
                -- `allowance` is still the old one here.
                breaker = case when scope = any(\(proven)) and allowance * 2 >= \(Self.closesAt) then 'closed'
                               else breaker end,
                rejects = 0,
                reject_user = null
            where scope = any(\(scopes)) and (rejects > 0 or scope = any(\(proven)))
            -- A probe is held only where the breaker was not closed.
            returning case when breaker = 'closed' and scope = any(\(proven)) then scope end
            """)
        self.forget()
        self.tellClosed(rows)
    }

    /// Notes that the provider took our key for some call. Costs nothing while the account's breaker is closed.
    ///
    /// Only a refused key opens the account's breaker, so an open one is wrong now, and closes.
    package func authenticated() async {
        let account = LimitScope.account.key
        guard self.state.withLock({ $0.known?.broken.contains(account) ?? false }) else { return }
        let rows = try? await self.pool.query(
            """
            update dialtone.provider_limits set breaker = 'closed', probe_until = null, opened_at = null
            where scope = \(account) and breaker <> 'closed'
            returning scope
            """)
        self.state.withLock { $0.probes[account] = nil }
        self.forget()
        self.tellClosed(rows)
    }

    /// Closes each breaker whose last probe worked, and after which no create was refused for `proof`.
    ///
    /// Where few users sign up, the creates that double the allowance may not come for days, and the breaker would look
    /// like trouble that is not there. Cancelled or failed here: the next turn closes it.
    package func closeProven() async {
        let rows = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set breaker = 'closed'
            -- A refusal sets the allowance back to 1. Every probe and every refusal moves probe_until on.
            where breaker = 'half_open' and allowance > 1 and probe_until < clock_timestamp() - \(Self.proof)
            returning scope
            """)
        guard let rows, !rows.isEmpty else { return }
        self.forget()
        self.tellClosed(rows)
    }

    private func tellClosed(_ rows: PostgresRows?) {
        guard let rows else { return }
        for row in rows {
            var columns = row.columns
            // Null: the breaker of this row stays as it is.
            let scope: String?? = try? columns.next()
            if let scope, let scope { self.onClosed(scope) }
        }
    }
}
