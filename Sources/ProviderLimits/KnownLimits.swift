// SPDX-License-Identifier: Apache-2.0
// The rows as this node last read them, so that a create does not cost a statement.

import Postgres
import Synchronization

/// The scopes with a limit, a pause, a count of refusals or a breaker that is not closed. All others are free.
struct KnownLimits {
    /// How long nothing may be sent there. The key of a kind stands for its pause.
    var stopped: [String: Duration] = [:]
    /// How long no call of any kind may be sent, because the account's breaker waits for its first probe.
    var shut: Duration?
    /// Scopes whose breaker is not closed.
    var broken: Set<String> = []
    /// Scopes where refusals are counted. The next success ends the count.
    var counted: Set<String> = []
    /// Calls per second, where a rate is set.
    var rates: [String: Double] = [:]
    /// The rates that the provider has told, by the row of the kind.
    var learned: [String: Learned] = [:]
    /// When this must be read again.
    var until: ContinuousClock.Instant
}

extension KnownLimits {
    /// Returns how long no call of this kind may be sent; nil when it may.
    func wait(for kind: CallKind) -> Duration? {
        ([self.shut] + kind.stoppedBy.map { self.stopped[$0] }).compactMap { $0 }.max()
    }
}

extension ProviderLimits {
    /// Returns the keys of the connections and tenants whose creates are stopped, as far as this node knows.
    package func stoppedScopes() async -> [String] {
        guard let known = try? await self.know() else { return [] }
        return known.stopped.keys.filter { $0.hasPrefix("connection:") || $0.hasPrefix("tenant:") }.sorted()
    }

    /// Returns the rows from memory for `maximumAge`. After that time one caller reads them anew. The others go by the
    /// old rows until the new ones are there.
    func know() async throws -> KnownLimits {
        let (recent, changes) = self.state.withLock { state -> (KnownLimits?, Int) in
            guard let known = state.known else { return (nil, state.changes) }
            if known.until > .now { return (known, state.changes) }
            state.known?.until = .now + Self.maximumAge
            return (nil, state.changes)
        }
        if let recent { return recent }
        let known = try await self.read()
        self.state.withLock { if $0.changes == changes { $0.known = known } }
        return known
    }

    /// Forgets the rows, because this node has changed one.
    func forget() {
        self.state.withLock { state in
            state.known = nil
            state.changes += 1
        }
    }

    private func read() async throws -> KnownLimits {
        let rows = try await self.pool.query(
            """
            select scope,
                   breaker <> 'closed',
                   rate,
                   rejects > 0,
                   -- Calls without a permit stop for a pause, and for a breaker until its first probe may begin.
                   coalesce(paused_until > clock_timestamp(), false)
                   or breaker = 'open' and coalesce(probe_until > clock_timestamp(), false),
                   -- Milliseconds until a create may go. greatest() passes over nulls, and is null for two of them.
                   (extract(epoch from greatest(paused_until, case when breaker <> 'closed' then probe_until end)
                                       - clock_timestamp()) * 1000)::bigint,
                   \(Self.believedRate),
                   learned_limit
            from dialtone.provider_limits
            where paused_until > clock_timestamp()
               or breaker <> 'closed'
               or rate is not null
               or rejects > 0
               or learned_until > clock_timestamp()
            """)
        var known = KnownLimits(until: .now + Self.maximumAge)
        let probes = self.state.withLock { $0.probes }
        for row in rows {
            let (scope, isBroken, rate, isCounted, isShut, left, learned, limit) = try row.decode(
                String.self, Bool.self, Double?.self, Bool.self, Bool.self, Int64?.self, Double?.self, Int32?.self)
            if isShut, let left, scope == LimitScope.account.key { known.shut = .milliseconds(max(left, 1)) }
            if isCounted { known.counted.insert(scope) }
            if isBroken { known.broken.insert(scope) }
            known.rates[scope] = rate
            known.learned[scope] = learned.map { KnownLimits.Learned(rate: $0, limit: limit) }
            // The probe that this node holds does not stop this node.
            let isOurs = probes[scope].map { $0.left > 0 && $0.until > .now } ?? false
            if let left, left > 0, !isOurs { known.stopped[scope] = .milliseconds(left) }
        }
        return known
    }
}
