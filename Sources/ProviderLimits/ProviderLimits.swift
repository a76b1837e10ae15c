// SPDX-License-Identifier: Apache-2.0
// How fast all nodes together may call the provider: rate, pause and breaker as rows that every node reads.

// Each limit is a row of `dialtone.provider_limits`. A row belongs to a scope, the account or the connection of one
// tenant, and may hold a rate (calls per second) and a breaker (the provider refused us). Or it belongs to a kind of
// call, and holds its pause (the provider said 429 to a call of that kind) and the rate that the provider's headers
// tell. Without a row there is no limit.
//
// Every call needs a permit of its kind (`permit`). Where there is a rate, it comes out of one budget for all nodes and
// kinds (room `Budget`). A worker asks for many at once before it claims jobs (`takePermits`). Before a create it asks
// for the connection's permit too (`takePermit`). It returns the permits it did not use. A login token also needs a
// permit of its tenant (`takeTokenPermit`), which this node keeps in memory. Results come back as `succeeded`,
// `rejected`, `pause`, `openBreaker`, `authenticated` and `heard`. Time alone brings `closeProven`.
//
// An open breaker lets no create through until `probe_until`. Then the node that asks first takes the probe. It may
// send as many creates as `allowance` says, and has `probeLease` for them. When one of them works, the allowance
// doubles, and at `closesAt` the breaker closes. Where few users sign up, it closes a minute after a probe that worked.
// A node that dies with the probe loses it when the lease ends.

package import Postgres
import Synchronization

/// Rates, pauses and breakers, shared through `dialtone.provider_limits`.
package final class ProviderLimits: Sendable {
    /// The time from a refusal to the next probe.
    package static let coolDown: Duration = .seconds(30)
    /// How long a node may hold a probe. After that any node may take it over.
    package static let probeLease: Duration = .seconds(20)
    /// The allowance at which a half-open breaker closes.
    package static let closesAt: Int32 = 64
    /// How long after a probe that worked a breaker closes, though nobody has sent more creates.
    package static let proof: Duration = .seconds(60)
    /// How old the rows in memory may be. A change by another node is seen after twice this at most.
    static let maximumAge: Duration = .milliseconds(250)
    /// How many different users in a row may be refused with the same code. Then the fault is not theirs.
    static let maximumRejects: Int32 = 3

    /// A probe that this node holds.
    struct Probe {
        /// How many creates it still permits.
        var left: Int32
        var until: ContinuousClock.Instant
    }

    struct State {
        /// The rows as last read; nil when they must be read anew.
        var known: KnownLimits?
        var probes: [String: Probe] = [:]
        /// When the last create that waits for a connection's rate is due, as far as this node has seen.
        var lines: [String: (rate: Double, end: ContinuousClock.Instant)] = [:]
        /// Counts what this node has changed, so that rows read before a change are not kept after it.
        var changes = 0
    }

    /// This node's own brake on creates whose outcome is unknown.
    package let brake: Brake
    let pool: PostgresPool
    let state = Mutex(State())
    /// Login tokens that one tenant may have made by this node, per second.
    let tokenRate: Double
    /// Calls of the sweep that all nodes may make, per second.
    let sweepRate: Double
    let mints = Mutex(TokenMints())
    let budget: Budget
    /// What the provider's replies say of its limits, by the row they are written to.
    let heardReplies = Mutex<[String: HeardReplies]>([:])
    /// Gets each scope whose breaker this node has closed.
    let onClosed: @Sendable (String) -> Void

    package init(
        pool: PostgresPool, tokenRate: Double = 50, sweepRate: Double = 5, brake: Brake = Brake(),
        onClosed: @escaping @Sendable (_ scope: String) -> Void = { _ in }
    ) {
        self.brake = brake
        self.pool = pool
        self.tokenRate = tokenRate
        self.sweepRate = sweepRate
        self.onClosed = onClosed
        self.budget = Budget { scope, wants in
            (try? await pool.query(TakenCalls.take(wants, from: scope)).first).flatMap { try? TakenCalls($0) }
        }
    }

    /// Returns how long no call of this kind may be made; nil when it may be made now.
    ///
    /// The pause of the kind stops it, and the account's breaker until its first probe. Throws when the database cannot
    /// say.
    package func wait(for kind: CallKind) async throws -> Duration? { try await self.know().wait(for: kind) }

    /// Returns whether a call of this kind may be made now. Throws when the database cannot say.
    package func allows(_ kind: CallKind) async throws -> Bool { try await self.wait(for: kind) == nil }
}
