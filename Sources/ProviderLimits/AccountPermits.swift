// SPDX-License-Identifier: Apache-2.0
// Permits of the account: one for each call, by the kind's pause and the budget; for creates also by the breaker.

import Postgres
import Synchronization

extension ProviderLimits {
    /// Takes the permit for one call of this kind. It may wait some seconds for the budget, and not for a pause. One
    /// who has a lane waits behind the lane's others.
    ///
    /// Where nothing is limited, it only looks into memory. When the database cannot say, the permit is granted.
    /// Cancelled here: the answer is to wait, and nothing is taken.
    package func permit(_ kind: CallKind, lane: String? = nil) async -> Permission {
        guard let known = try? await self.know() else { return .granted }
        if let wait = known.wait(for: kind) { return .wait(wait) }
        await self.writeLearnedRates()
        guard let budget = known.budget(of: kind) else { return .granted }
        return await self.budget.permit(kind, lane: lane, from: budget, patience: kind.patience)
    }

    /// Takes permits for creates from the queue, and returns how many of `wanted` may be begun now.
    ///
    /// `hasWork` is asked before anything is taken: nobody may hold a probe or a part of the rate for nothing. Permits
    /// that are not used are given back by `returnPermits`.
    package func takePermits(_ wanted: Int, hasWork: () async -> Bool = { true }) async -> Int {
        let account = LimitScope.account.key
        guard let known = try? await self.know(), known.stopped[account] == nil, known.wait(for: .creates) == nil else {
            return 0
        }
        await self.writeLearnedRates()
        let isBroken = known.broken.contains(account)
        let budget = known.budget(of: .creates)
        guard isBroken || budget != nil else { return wanted }
        if let budget, self.budget.rest(of: .creates, in: budget) != nil { return 0 }
        guard await hasWork() else { return 0 }
        var room = wanted
        if let budget { room = await self.budget.take(wanted, of: .creates, from: budget) }
        guard isBroken, room > 0 else { return room }
        let probes = await self.probe(account, wanted: room)
        await self.giveBack(room - probes, of: .creates)
        return probes
    }

    /// Takes a permit for a create that a look has permitted, and returns whether it may go now.
    ///
    /// It comes out of the looks' share, and so never waits behind the queue for good.
    package func takeRecoveryPermit() async -> Bool {
        guard await self.permit(.looks) == .granted else { return false }
        let account = LimitScope.account.key
        guard (try? await self.know())?.broken.contains(account) == true else { return true }
        if await self.probe(account, wanted: 1) > 0 { return true }
        await self.giveBack(1, of: .looks)
        return false
    }

    /// Gives back permits for creates that nobody used: out of the queue, or those of looks.
    package func returnPermits(_ count: Int, of kind: CallKind = .creates) async {
        guard count > 0 else { return }
        self.state.withLock { $0.probes[LimitScope.account.key]?.left += Int32(count) }
        await self.giveBack(count, of: kind)
    }

    /// Returns how long no create of the queue gets a permit of the budget, as far as this node knows. Takes nothing.
    package func remainingRest() -> Duration? {
        guard let budget = self.state.withLock({ $0.known?.budget(of: .creates) }) else { return nil }
        return self.budget.rest(of: .creates, in: budget)
    }

    private func giveBack(_ count: Int, of kind: CallKind) async {
        guard let scope = self.state.withLock({ $0.known?.budget(of: kind) }) else { return }
        await self.giveBack(count, of: kind, to: scope)
    }

    /// Gives calls back to their slice. Failed here: that much of the slice is lost, once.
    private func giveBack(_ count: Int, of kind: CallKind, to scope: BudgetScope) async {
        guard count > 0, let back = self.budget.giveBack(count, of: kind, to: scope) else { return }
        let statement = TakenCalls.giveBack(back.count, of: kind, to: back.slice, of: scope.key)
        _ = try? await self.pool.query(statement)
    }

    // MARK: A connection's rate

    /// The kind under which a connection's creates are asked for. Its budget has no other calls, so none are kept.
    private static let onlyKind = CallKind.tokens

    /// Takes as many of `wanted` creates as a connection's rate has room for now. Returns how many it took.
    func take(_ wanted: Int, from connection: String) async -> Int {
        guard let rate = try? await self.know().rates[connection] else { return wanted }
        return await self.budget.take(wanted, of: Self.onlyKind, from: BudgetScope(key: connection, rate: rate))
    }

    /// Gives back creates of a connection's rate that were not sent.
    func giveBack(_ count: Int, to connection: String) async {
        guard let rate = self.state.withLock({ $0.known?.rates[connection] }) else { return }
        await self.giveBack(count, of: Self.onlyKind, to: BudgetScope(key: connection, rate: rate))
    }
}
