// SPDX-License-Identifier: Apache-2.0
// How fast we may go to the provider, for all nodes at once: rate, pause and breaker as rows that every worker reads.

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

/// The answer to a request for one create.
package enum Permission: Sendable, Equatable {
    /// The create may go now, and is counted.
    case granted
    /// Nothing may be sent for this long.
    case wait(Duration)
}

/// Rate, pauses and breakers, shared through `dialtone.provider_limits`.
///
/// A breaker that is open lets nothing through until `probe_until`; then one node, whichever asks first, takes the
/// probe: it may send as many creates as `allowance` says, and has `probeLease` for it. When one of them has worked the
/// allowance doubles, and at `closesAt` the breaker closes. A node that dies with the probe loses it when the lease
/// ends.
package final class ProviderLimits: Sendable {
    /// From a refusal to the next probe.
    package static let coolDown: Duration = .seconds(30)
    /// How long a probe may take until anybody may take it over.
    package static let probeLease: Duration = .seconds(20)
    /// A half-open breaker whose probes have worked this far is closed.
    package static let closesAt: Int32 = 64
    /// A pause set by another node is seen after twice this at most.
    private static let maximumAge: Duration = .milliseconds(250)
    /// Different users in a row who were refused with the same code: then it is not their fault.
    static let maximumRejects: Int32 = 3

    /// What is known of the scopes that are not simply open.
    struct KnownLimits {
        /// How long nothing may be sent there.
        var stopped: [String: Duration] = [:]
        /// Whether the account is paused, or its breaker waits for the first probe.
        var isShut = false
        /// Whose breaker is not closed.
        var broken: Set<String> = []
        /// Where refusals are counted, which the next success ends.
        var counted: Set<String> = []
        /// Calls per second, where there is a rate.
        var rates: [String: Double] = [:]
        var until: ContinuousClock.Instant
    }

    /// A probe this node holds.
    struct Probe {
        var left: Int32
        var until: ContinuousClock.Instant
    }

    struct State {
        var known: KnownLimits?
        var probes: [String: Probe] = [:]
        /// Where the line of those who wait for a connection's rate ends, as far as this node has seen.
        var lines: [String: (rate: Double, end: ContinuousClock.Instant)] = [:]
        /// Counts what this node has changed, so that an answer read before a change is not kept after it.
        var changes = 0
    }

    let pool: PostgresPool
    let state = Mutex(State())

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: Asking

    /// Whether calls that no breaker's probe is needed for may be made: looks, deletes, tokens. A pause stops them, and
    /// a breaker until its first probe. Throws when the database cannot say.
    package func allowsCalls() async throws -> Bool { try await !self.know().isShut }

    /// How many of `wanted` creates may be begun now, by the account's pause, rate and breaker. `hasWork` is asked
    /// before anything is taken: nobody may hold a probe or a part of the rate for nothing. What is not used is given
    /// back by `returnPermits`.
    package func takePermits(_ wanted: Int, hasWork: () async -> Bool = { true }) async -> Int {
        await self.takePermits(wanted, of: .queue, hasWork: hasWork)
    }

    /// Whether one create may go after a look: it may use the share that is left for recovery, and so never waits
    /// behind the queue for good.
    package func takeRecoveryPermit() async -> Bool {
        await self.takePermits(1, of: .recovery, hasWork: { true }) > 0
    }

    private func takePermits(_ wanted: Int, of share: Share, hasWork: () async -> Bool) async -> Int {
        let account = LimitScope.account.key
        guard let known = try? await self.know(), known.stopped[account] == nil else { return 0 }
        let isBroken = known.broken.contains(account)
        let rate = known.rates[account]
        guard isBroken || rate != nil else { return wanted }
        guard await hasWork() else { return 0 }
        var room = wanted
        if rate != nil {
            room =
                switch share {
                case .queue: await self.take(wanted, from: account)
                case .recovery: await self.takeToRecover(from: account) ? wanted : 0
                }
        }
        guard isBroken, room > 0 else { return room }
        let probes = await self.probe(account, wanted: room)
        if rate != nil { await self.giveBack(room - probes, to: account, as: share) }
        return probes
    }

    /// Gives back what `takePermits` or `takeRecoveryPermit` granted and nobody used.
    package func returnPermits(_ count: Int, of share: Share = .queue) async {
        guard count > 0 else { return }
        let account = LimitScope.account.key
        let hasRate = self.state.withLock { state in
            state.probes[account]?.left += Int32(count)
            return state.known?.rates[account] != nil
        }
        if hasRate { await self.giveBack(count, to: account, as: share) }
    }

    /// Gives back a create that `takePermit` had permitted and that was not sent.
    package func returnPermit(for connection: String) async {
        let scope = LimitScope.connection(connection).key
        let hasRate = self.state.withLock { state in
            state.probes[scope]?.left += 1
            return state.known?.rates[scope] != nil
        }
        if hasRate { await self.giveBack(1, to: scope) }
    }

    /// The provider took our key for some call: an account's breaker, which only a refused key opens, is wrong. Costs
    /// nothing while it is closed.
    package func authenticated() async {
        let account = LimitScope.account.key
        guard self.state.withLock({ $0.known?.broken.contains(account) ?? false }) else { return }
        _ = try? await self.pool.query(
            """
            update dialtone.provider_limits set breaker = 'closed', probe_until = null, opened_at = null
            where scope = \(account) and breaker <> 'closed'
            """)
        self.state.withLock { $0.probes[account] = nil }
        self.forget()
    }

    /// Takes the permit for one create of this tenant's connection. When the database cannot say, it is granted: the
    /// account's own gate was asked before the claim.
    package func takePermit(for connection: String) async -> Permission {
        let scope = LimitScope.connection(connection).key
        guard let known = try? await self.know() else { return .granted }
        if let wait = known.stopped[scope] { return .wait(wait) }
        let rate = known.rates[scope]
        if let rate, await self.take(1, from: scope) == 0 { return .wait(self.lineUp(scope, rate)) }
        guard known.broken.contains(scope), await self.probe(scope, wanted: 1) == 0 else { return .granted }
        if rate != nil { await self.giveBack(1, to: scope) }
        return .wait(Self.probeLease)
    }

    /// Whether this connection has a rate of its own, as far as is known.
    package func hasRate(_ connection: String) async -> Bool {
        (try? await self.know())?.rates[LimitScope.connection(connection).key] != nil
    }

    /// How long nothing may be sent for this connection, as far as is known. Takes nothing.
    package func remainingStop(of connection: String) async -> Duration? {
        guard let known = try? await self.know() else { return nil }
        return known.stopped[LimitScope.connection(connection).key]
    }

    /// Each who waits comes a step after the last, so that a tenant's import is not claimed over and over.
    private func lineUp(_ scope: String, _ rate: Double) -> Duration {
        self.state.withLock { state in
            let line = state.lines[scope].flatMap { $0.rate == rate ? $0.end : nil }
            let end = max(.now + .seconds(1), line ?? .now) + .seconds(1) / rate
            state.lines[scope] = (rate, end)
            return ContinuousClock.now.duration(to: end)
        }
    }

    /// From memory for `maximumAge`; then one caller asks, and the others go by the last answer until it has come.
    private func know() async throws -> KnownLimits {
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

    private func read() async throws -> KnownLimits {
        let rows = try await self.pool.query(
            """
            select scope, breaker <> 'closed', rate, rejects > 0,
                   coalesce(paused_until > clock_timestamp(), false)
                   or breaker = 'open' and coalesce(probe_until > clock_timestamp(), false),
                   (extract(epoch from greatest(paused_until, case when breaker <> 'closed' then probe_until end)
                                       - clock_timestamp()) * 1000)::bigint
            from dialtone.provider_limits
            where paused_until > clock_timestamp() or breaker <> 'closed' or rate is not null
               or rejects > 0
            """)
        var known = KnownLimits(until: .now + Self.maximumAge)
        let probes = self.state.withLock { $0.probes }
        for row in rows {
            let (scope, isBroken, rate, isCounted, isShut, left) = try row.decode(
                String.self, Bool.self, Double?.self, Bool.self, Bool.self, Int64?.self)
            if isShut && scope == LimitScope.account.key { known.isShut = true }
            if isCounted { known.counted.insert(scope) }
            if isBroken { known.broken.insert(scope) }
            known.rates[scope] = rate
            // Our own probe does not stop ourselves.
            let isOurs = probes[scope].map { $0.left > 0 && $0.until > .now } ?? false
            if let left, left > 0, !isOurs { known.stopped[scope] = .milliseconds(left) }
        }
        return known
    }
}
