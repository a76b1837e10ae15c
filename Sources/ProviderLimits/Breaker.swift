// SPDX-License-Identifier: Apache-2.0
// All nodes are stopped by a pause of a kind of call after a 429, or by the breaker of a scope after a refusal.

import Postgres
import Synchronization

extension ProviderLimits {
    /// Pauses calls of this kind for all nodes, and those that its pause stops too: creates, looks and deletes are
    /// paused together, and the sweep with them. A pause is only ever extended. `reason` is for an operator, where it
    /// is another one than a 429.
    ///
    /// Cancelled or failed here: the call that met the 429 waits all the same, and the next call meets it again.
    package func pause(_ kind: CallKind, for wait: Duration, because reason: String? = nil) async {
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits (scope, paused_until, reason)
            values (\(kind.pauseKey), clock_timestamp() + \(wait), \(reason))
            -- The row's lock orders two nodes that pause it together; with greatest() their order does not matter.
            on conflict (scope) do update
            set paused_until = greatest(provider_limits.paused_until, excluded.paused_until),
                -- That of the pause that ends last.
                reason = case when provider_limits.paused_until > excluded.paused_until then provider_limits.reason
                              else excluded.reason end
            """)
        self.forget()
    }

    /// Opens the breaker of a scope: no create is sent there until a probe works. Returns how long that takes at least.
    @discardableResult
    package func openBreaker(_ scope: LimitScope, reason: String) async -> Duration {
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits (scope, breaker, opened_at, probe_until, allowance, reason)
            values (\(scope.key), 'open', clock_timestamp(),
                    clock_timestamp() + \(Self.coolDown), 1, \(reason))
            on conflict (scope) do update
            set breaker = 'open',
                probe_until = excluded.probe_until,
                allowance = 1,
                reason = excluded.reason,
                -- A failed probe opens it again; it has been open since it left 'closed'.
                opened_at = case when provider_limits.breaker = 'closed' then excluded.opened_at
                                 else provider_limits.opened_at end
            """)
        self.state.withLock { $0.probes[scope.key] = nil }
        self.forget()
        return Self.coolDown
    }

    /// Counts a create that was refused with this code for this user.
    ///
    /// When several users of a tenant in a row were refused with the same code, the tenant's breaker opens. That of its
    /// connection does not, because others may share it. Then this returns how long no create is sent.
    package func rejected(tenant: String, code: String, user: String) async -> Duration? {
        let scope = LimitScope.tenant(tenant)
        let rows = try? await self.pool.query(
            """
            insert into dialtone.provider_limits (scope, rejects, reject_code, reject_user)
            values (\(scope.key), 1, \(code), \(user))
            on conflict (scope) do update
            -- Another code begins a new row of refusals. The same user twice in a row counts once.
            set rejects = case when provider_limits.reject_code is distinct from excluded.reject_code then 1
                               when provider_limits.reject_user = excluded.reject_user then provider_limits.rejects
                               else provider_limits.rejects + 1 end,
                reject_code = excluded.reject_code,
                reject_user = excluded.reject_user
            returning rejects
            """)
        self.forget()
        guard let rejects = try? rows?.first?.decode(Int32.self), rejects >= Self.maximumRejects else { return nil }
        return await self.openBreaker(scope, reason: "refused for \(rejects) users in a row: \(code)")
    }

    /// A tenant was given another connection. Its breaker closes, and its refusals are forgotten: they say nothing of the
    /// new one. The breaker of the connection before closes where no tenant has it now, because no create would probe it.
    package func tenantMoved(_ tenant: String, from connection: String) async throws {
        let (own, before) = (LimitScope.tenant(tenant).key, LimitScope.connection(connection).key)
        _ = try await self.pool.query(
            """
            update dialtone.provider_limits
            set breaker = 'closed', probe_until = null, opened_at = null, allowance = 1, rejects = 0,
                reject_code = null, reject_user = null
            where scope = \(own)
               or scope = \(before)
                  and not exists (select from dialtone.tenants where connection_id = \(connection))
            """)
        self.forget()
    }
}
