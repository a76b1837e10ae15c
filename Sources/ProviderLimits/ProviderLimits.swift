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
        case .connection(let id): "\(Self.connectionPrefix)\(id)"
        }
    }

    fileprivate static let connectionPrefix = "connection:"
}

/// Whether calls may be made now.
package struct LimitGate: Sendable, Equatable {
    package var isOpen: Bool
    /// Connections that are stopped although the account is not.
    package var stoppedConnections: Set<String>
}

/// Pauses and breakers, shared through `dialtone.provider_limits`.
package final class ProviderLimits: Sendable {
    private struct Known {
        var gate: LimitGate
        /// Scopes whose breaker is open, although a probe may be due.
        var broken: Set<String>
        var until: ContinuousClock.Instant
    }

    private struct State {
        var known: Known?
        /// Counts what this node has changed, so that an answer read before a change is not kept after it.
        var changes = 0
    }

    /// A pause set by another node is seen after twice this at most.
    private static let maximumAge: Duration = .milliseconds(250)

    private let pool: PostgresPool
    private let state = Mutex(State())

    package init(pool: PostgresPool) { self.pool = pool }

    /// What may be sent now. From memory for `maximumAge`; then one caller asks, and the others go by the last answer until
    /// it has come. A breaker stays shut until its probe is due, 30 seconds after the last refusal.
    package func gate() async throws -> LimitGate {
        let (recent, changes) = self.state.withLock { state -> (LimitGate?, Int) in
            guard let known = state.known else { return (nil, state.changes) }
            if known.until > .now { return (known.gate, state.changes) }
            state.known?.until = .now + Self.maximumAge
            return (nil, state.changes)
        }
        if let recent { return recent }
        let known = try await self.read()
        self.state.withLock { if $0.changes == changes { $0.known = known } }
        return known.gate
    }

    private func read() async throws -> Known {
        let rows = try await self.pool.query(
            """
            select scope, breaker = 'open',
                   coalesce(paused_until > clock_timestamp(), false)
                       or breaker = 'open' and coalesce(probe_until, opened_at + interval '30 seconds') > clock_timestamp()
            from dialtone.provider_limits
            where paused_until > clock_timestamp() or breaker = 'open'
            """)
        var known = Known(
            gate: LimitGate(isOpen: true, stoppedConnections: []), broken: [], until: .now + Self.maximumAge)
        for row in rows {
            let (scope, isBroken, isStopped) = try row.decode(String.self, Bool.self, Bool.self)
            if isBroken { known.broken.insert(scope) }
            guard isStopped else { continue }
            if scope == LimitScope.account.key {
                known.gate.isOpen = false
            } else if scope.hasPrefix(LimitScope.connectionPrefix) {
                known.gate.stoppedConnections.insert(String(scope.dropFirst(LimitScope.connectionPrefix.count)))
            }
        }
        return known
    }

    /// Pauses a scope for all nodes. A pause is only ever extended.
    ///
    /// Cancelled or failed here: the job that met the 429 waits all the same, and the next one meets it again.
    package func pause(_ scope: LimitScope, for wait: Duration) async {
        let milliseconds = wait.components.seconds * 1000 + wait.components.attoseconds / 1_000_000_000_000_000
        // The primary key is the arbiter; the row lock orders two nodes, greatest() makes their order not matter.
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, paused_until)
            values (\(scope.key), clock_timestamp() + \(milliseconds) * interval '1 millisecond')
            on conflict (scope) do update set paused_until = greatest(p.paused_until, excluded.paused_until)
            """)
        self.forget()
    }

    /// Opens the breaker of a scope: nothing more is sent there until a probe works.
    package func stop(_ scope: LimitScope, reason: String) async {
        _ = try? await self.pool.query(
            """
            insert into dialtone.provider_limits as p (scope, breaker, opened_at, probe_until, reason)
            values (\(scope.key), 'open', clock_timestamp(), clock_timestamp() + interval '30 seconds', \(reason))
            on conflict (scope) do update
            set breaker = 'open', opened_at = coalesce(p.opened_at, excluded.opened_at),
                probe_until = excluded.probe_until, reason = excluded.reason
            """)
        self.forget()
    }

    /// A call worked: closes the breakers it proves wrong. Costs nothing while none is open.
    package func succeeded(connection: String) async {
        let scopes = [LimitScope.account.key, LimitScope.connection(connection).key]
        let mayBeBroken = self.state.withLock { $0.known.map { !$0.broken.isDisjoint(with: scopes) } ?? true }
        guard mayBeBroken else { return }
        _ = try? await self.pool.query(
            """
            update dialtone.provider_limits
            set breaker = 'closed', opened_at = null, probe_until = null, reason = null
            where scope = any(\(scopes)) and breaker = 'open'
            """)
        self.forget()
    }

    private func forget() {
        self.state.withLock { state in
            state.known = nil
            state.changes += 1
        }
    }
}
