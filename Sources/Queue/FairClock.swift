// SPDX-License-Identifier: Apache-2.0
// Gives each new job its place in the queue, so that a tenant's import does not stand in front of other tenants.

package import Foundation

/// Start-time fair queueing. A place is a time in microseconds since 1970, and claims go by places.
///
/// A tenant's next job comes no sooner than a step after its last. A tenant that imports many users therefore lines up
/// behind itself, ahead of the clock, and other tenants' jobs stand near the clock.
///
/// The step must be longer than one job of a busy tenant takes to be served. With a shorter step the tenant's line
/// would fall behind the clock. A job that comes later, at the clock's time, would then stand behind the whole line.
package struct FairClock: Sendable {
    /// Microseconds between two jobs of one tenant that come faster than that: ten a second.
    package static let step: Int64 = 100_000
    /// A line ahead of the clock counts at most this far, in microseconds: an hour.
    private static let horizon: Int64 = 3_600_000_000
    /// Tenants whose last places are remembered, before the older ones are forgotten.
    private static let maximumTenants = 10_000

    /// The last place given to each tenant.
    private var last: [String: Int64] = [:]

    package init() {}

    /// Returns the first place of each tenant for one statement's jobs, given in the order of arrival. The tenant's
    /// later jobs of the statement follow a step apart.
    package mutating func places(for arrivals: [(tenant: String, receivedAt: Date)]) -> [String: Int64] {
        var places: [String: Int64] = [:]
        for (tenant, receivedAt) in arrivals {
            let clock = Int64(receivedAt.timeIntervalSince1970 * 1_000_000)
            let last = min(self.last[tenant] ?? 0, clock + Self.horizon)
            let place = max(clock, last + Self.step)
            if places[tenant] == nil { places[tenant] = place }
            self.last[tenant] = place
        }
        self.forgetOldest(before: places)
        return places
    }

    /// Returns the next places of all tenants whose line is ahead of the clock, for a statement that finds out by
    /// itself whose jobs it has. The line of any other tenant begins at the clock.
    package func lines(aheadOf now: Date) -> [String: Int64] {
        let clock = Int64(now.timeIntervalSince1970 * 1_000_000)
        return self.last.compactMapValues { last in
            let place = min(last, clock + Self.horizon) + Self.step
            return place > clock ? place : nil
        }
    }

    private mutating func forgetOldest(before places: [String: Int64]) {
        if self.last.count > Self.maximumTenants {
            let oldest = places.values.min() ?? 0
            self.last = self.last.filter { $0.value > oldest }
        }
    }
}
