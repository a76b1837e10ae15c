// SPDX-License-Identifier: Apache-2.0
// The permit of a tenant's connection, which one create needs right before it is sent.

import Synchronization

extension ProviderLimits {
    /// Takes the permit for one create of this connection.
    ///
    /// When the database cannot say, the permit is granted: the account's limits were asked before the claim.
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

    /// Gives back the permit of a create that was not sent.
    package func returnPermit(for connection: String) async {
        let scope = LimitScope.connection(connection).key
        let hasRate = self.state.withLock { state in
            state.probes[scope]?.left += 1
            return state.known?.rates[scope] != nil
        }
        if hasRate { await self.giveBack(1, to: scope) }
    }

    /// Returns whether this connection has a rate of its own, as far as this node knows.
    package func hasRate(_ connection: String) async -> Bool {
        (try? await self.know())?.rates[LimitScope.connection(connection).key] != nil
    }

    /// Returns how long nothing may be sent for this connection, as far as this node knows. Takes nothing.
    package func remainingStop(of connection: String) async -> Duration? {
        guard let known = try? await self.know() else { return nil }
        return known.stopped[LimitScope.connection(connection).key]
    }

    /// Returns how long a create waits for the rate. Each create waits a step longer than the one before it, so that a
    /// tenant's import is not claimed over and over.
    private func lineUp(_ scope: String, _ rate: Double) -> Duration {
        self.state.withLock { state in
            let line = state.lines[scope].flatMap { $0.rate == rate ? $0.end : nil }
            let end = max(.now + .seconds(1), line ?? .now) + .seconds(1) / rate
            state.lines[scope] = (rate, end)
            return ContinuousClock.now.duration(to: end)
        }
    }
}
