// SPDX-License-Identifier: Apache-2.0
// A scope's limits as an operator sees and sets them.

package import Postgres

/// A scope's limits.
package struct ProviderLimit: Sendable {
    /// `account`, `connection:<id>`, or `kind:tokens`, `kind:jobs` (creates, looks and deletes) or `kind:sweep`.
    package let scope: String
    /// Calls per second that an operator has set; nil for none.
    package let rate: Double?
    /// Calls per second that the provider's replies tell; nil for none. The account's set rate wins.
    package let learnedRate: Double?
    /// `closed`, `open` or `half_open`.
    package let breaker: String
    /// Why the breaker opened, or why calls rest where that is no 429; nil while neither is so.
    package let reason: String?
    /// Seconds until something may be sent again; nil when it may now.
    package let waitSeconds: Double?
}

extension ProviderLimits {
    /// Sets a scope's rate for all nodes together, in calls per second, or a connection's in creates. Nil takes it away.
    package func setRate(_ rate: Double?, for scope: LimitScope = .account) async throws {
        _ = try await self.pool.query(
            """
            insert into dialtone.provider_limits (scope, rate) values (\(scope.key), \(rate))
            -- Workers set the rate at their start; a row that has it already is not written again.
            on conflict (scope) do update set rate = excluded.rate
            where provider_limits.rate is distinct from excluded.rate
            """)
        self.forget()
    }

    /// Returns every scope that has a rate, set or learned, a pause or a breaker that is not closed.
    package func list() async throws -> [ProviderLimit] {
        try await Self.list { try await self.pool.query($0) }
    }

    /// The same; `read` runs the statement.
    package static func list(by read: (SQL) async throws -> PostgresRows) async throws -> [ProviderLimit] {
        let rows = try await read(
            """
            select scope,
                   rate,
                   \(Self.believedRate),
                   breaker,
                   case when breaker <> 'closed' or paused_until > statement_timestamp() then reason end,
                   -- greatest() passes over nulls, and is null for two of them.
                   (extract(epoch from greatest(paused_until, case when breaker <> 'closed' then probe_until end)
                                       - statement_timestamp()))::float8
            from dialtone.provider_limits
            where rate is not null or breaker <> 'closed' or paused_until > statement_timestamp()
               or learned_until > clock_timestamp()
            order by scope
            """)
        return try rows.map { row in
            let (scope, rate, learned, breaker, reason, wait) = try row.decode(
                String.self, Double?.self, Double?.self, String.self, String?.self, Double?.self)
            return ProviderLimit(
                scope: scope, rate: rate, learnedRate: learned, breaker: breaker, reason: reason,
                waitSeconds: wait.flatMap { $0 > 0 ? $0 : nil })
        }
    }
}
