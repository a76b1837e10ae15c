// SPDX-License-Identifier: Apache-2.0
// What one tenant may ask of the provider's login tokens: a rate and a number under way, so that others get theirs.

// The limit is this node's own and in memory: a token costs one call of the provider, and must not cost a statement
// too. It is a generic cell rate algorithm.

import Synchronization

/// The mints of this node.
struct TokenMints {
    /// The mints of one tenant.
    struct Tenant {
        /// Calls that were sent and have no answer yet.
        var underWay = 0
        /// When the next mint is due at a steady rate. It may lie ahead by `ProviderLimits.tokenBurst`.
        var nextDue: ContinuousClock.Instant
    }

    var tenants: [String: Tenant] = [:]
    /// At more tenants than this the idle ones are forgotten.
    private var room = 1000

    /// Forgets tenants that are not ahead of their rate: they are as good as tenants that were never met.
    mutating func forgetIdle(at now: ContinuousClock.Instant) {
        guard self.tenants.count > self.room else { return }
        self.tenants = self.tenants.filter { $0.value.underWay > 0 || $0.value.nextDue > now }
        // A look at each tenant is worth it once there are twice as many.
        self.room = max(1000, self.tenants.count * 2)
    }
}

extension ProviderLimits {
    /// How far a tenant may be ahead of its rate.
    static let tokenBurst: Duration = .seconds(4)
    /// The most login tokens of one tenant that this node asks for at the same time.
    package static let maximumTokensUnderWay = 32

    /// Takes the permit for one login token of this tenant. `returnTokenPermit` must follow a granted one.
    package func takeTokenPermit(for tenant: String, now: ContinuousClock.Instant = .now) -> Permission {
        self.mints.withLock { mints in
            var own = mints.tenants[tenant] ?? TokenMints.Tenant(nextDue: now)
            guard own.underWay < Self.maximumTokensUnderWay else { return .wait(.seconds(1)) }
            // What an idle tenant did not use is not saved up.
            let due = max(own.nextDue, now)
            let step = Duration.seconds(1) / self.tokenRate
            let wait = now.duration(to: due + step) - Self.tokenBurst
            guard wait <= .zero else { return .wait(wait) }
            own.nextDue = due + step
            own.underWay += 1
            mints.tenants[tenant] = own
            return .granted
        }
    }

    /// Notes that the call for a login token has ended.
    package func returnTokenPermit(for tenant: String, now: ContinuousClock.Instant = .now) {
        self.mints.withLock { mints in
            mints.tenants[tenant]?.underWay -= 1
            mints.forgetIdle(at: now)
        }
    }
}
