// SPDX-License-Identifier: Apache-2.0
// How fast we may go to the provider, for all nodes at once: pauses and breakers as rows that every worker reads.

package import Postgres
import Synchronization

/// Whose limit it is: the account's, or that of one tenant's connection.
package enum LimitScope: Sendable, Hashable {
    case account
    case connection(String)

    var key: String {
        switch self {
        case .account: "account"
        case .connection(let id): "connection:\(id)"
        }
    }
}

/// Whether calls may be made now.
package struct LimitGate: Sendable, Equatable {
    package var isOpen: Bool
    /// Connections that are stopped although the account is not.
    package var stoppedConnections: Set<String>
}

/// Pauses and breakers, shared through `dialtone.provider_limits`.
package final class ProviderLimits: Sendable {
    private struct Cached {
        var gate: LimitGate
        var until: ContinuousClock.Instant
    }

    /// A pause set by another node is seen this late at most.
    private static let maximumAge: Duration = .milliseconds(250)

    private let pool: PostgresPool
    private let cached = Mutex<Cached?>(nil)

    package init(pool: PostgresPool) { self.pool = pool }

    /// Read once per batch, not per job. An open breaker gives its probe to whoever asks first; the probe is a lease of its
    /// own length, so that a node that dies with it does not keep it.
    package func gate() async throws -> LimitGate {
        if let cached = self.cached.withLock({ $0 }), cached.until > .now { return cached.gate }
        let rows = try await self.pool.query(
            """
            select scope from dialtone.provider_limits
            where paused_until > clock_timestamp()
               or (breaker = 'open' and (coalesce(probe_until, opened_at + interval '30 seconds') > clock_timestamp()))
            """)
        var stopped: Set<String> = []
        for row in rows { stopped.insert(try row.decode(String.self)) }
        let gate = LimitGate(
            isOpen: !stopped.contains(LimitScope.account.key),
            stoppedConnections: Set(
                stopped.filter { $0.hasPrefix("connection:") }.map { String($0.dropFirst("connection:".count)) }))
        self.cached.withLock { $0 = Cached(gate: gate, until: .now + Self.maximumAge) }
        return gate
    }

    /// Pauses a scope for all nodes. A pause is only ever extended.
    ///
    /// Cancelled or failed here: this node waits all the same, the others learn it from their own 429.
    package func pause(_ scope: LimitScope, for wait: Duration) async {
        self.forget()
        let milliseconds = wait.components.seconds * 1000 + wait.components.attoseconds / 1_000_000_000_000_000
        // The primary key is the arbiter; the row lock orders two nodes, greatest() makes their order not matter.
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, paused_until)
            values (\(scope.key), clock_timestamp() + \(milliseconds) * interval '1 millisecond')
            on conflict (scope) do update set paused_until = greatest(p.paused_until, excluded.paused_until)
            """)
    }

    /// Opens the breaker of a scope: nothing more is sent there until a probe works.
    package func stop(_ scope: LimitScope, reason: String) async {
        self.forget()
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, breaker, opened_at, probe_until, reason)
            values (\(scope.key), 'open', clock_timestamp(), clock_timestamp() + interval '30 seconds', \(reason))
            on conflict (scope) do update
            set breaker = 'open', opened_at = coalesce(p.opened_at, excluded.opened_at),
                probe_until = excluded.probe_until, reason = excluded.reason
            """)
    }

    /// A call worked: closes the breakers it proves wrong. Costs nothing while none is open.
    package func succeeded(connection: String) async {
        let isStopped = self.cached.withLock { cached in
            cached.map { !$0.gate.isOpen || $0.gate.stoppedConnections.contains(connection) } ?? false
        }
        guard isStopped || self.wasStopped.load(ordering: .relaxed) else { return }
        self.wasStopped.store(false, ordering: .relaxed)
        self.forget()
        _ = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set breaker = 'closed', opened_at = null, probe_until = null, reason = null
            where scope in ('account', \(LimitScope.connection(connection).key)) and breaker = 'open'
            """)
    }

    private let wasStopped = Atomic(true)

    private func forget() {
        self.wasStopped.store(true, ordering: .relaxed)
        self.cached.withLock { $0 = nil }
    }
}
