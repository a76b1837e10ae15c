// SPDX-License-Identifier: Apache-2.0
// The permit of a tenant's connection, which one create needs right before it is sent.

import Synchronization

extension ProviderLimits {
    /// Takes the permit for one create of this connection and tenant.
    ///
    /// When the database cannot say, the permit is granted: the account's limits were asked before the claim.
    package func takePermit(for connection: String, of tenant: String? = nil) async -> Permission {
        let scope = LimitScope.connection(connection).key
        let scopes = [scope] + (tenant.map { [LimitScope.tenant($0).key] } ?? [])
        guard let known = try? await self.know() else { return .granted }
        if let wait = scopes.compactMap({ known.stopped[$0] }).max() { return .wait(wait) }
        let rate = known.rates[scope]
        if let rate, await self.take(1, from: scope) == 0 { return .wait(self.lineUp(scope, rate)) }
        var probes: [String] = []
        for broken in scopes where known.broken.contains(broken) {
            if await self.probe(broken, wanted: 1) > 0 {
                probes.append(broken)
                continue
            }
            self.state.withLock { state in for taken in probes { state.probes[taken]?.left += 1 } }
            if rate != nil { await self.giveBack(1, to: scope) }
            return .wait(Self.probeLease)
        }
        return .granted
    }

    /// Gives back the permit of a create that was not sent.
    package func returnPermit(for connection: String, of tenant: String? = nil) async {
        let scope = LimitScope.connection(connection).key
        let hasRate = self.state.withLock { state in
            state.probes[scope]?.left += 1
            if let tenant { state.probes[LimitScope.tenant(tenant).key]?.left += 1 }
            return state.known?.rates[scope] != nil
        }
        if hasRate { await self.giveBack(1, to: scope) }
    }

    /// Returns whether this connection has a rate of its own, as far as this node knows.
    package func hasRate(_ connection: String) async -> Bool {
        (try? await self.know())?.rates[LimitScope.connection(connection).key] != nil
    }

    /// Returns the key of the tenant or of the connection when its creates are stopped, as far as this node knows; nil
    /// when neither is. Takes nothing.
    package func stoppedScope(of connection: String, _ tenant: String) async -> String? {
        guard let known = try? await self.know() else { return nil }
        return [LimitScope.tenant(tenant), .connection(connection)].map(\.key).first { known.stopped[$0] != nil }
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
