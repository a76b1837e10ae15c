// SPDX-License-Identifier: Apache-2.0
// Permits of the account: how many creates a worker may begin, by the pause of creates, the account's rate and breaker.

import Synchronization

extension ProviderLimits {
    /// Takes permits for creates from the queue, and returns how many of `wanted` may be begun now.
    ///
    /// `hasWork` is asked before anything is taken: nobody may hold a probe or a part of the rate for nothing. Permits
    /// that are not used are given back by `returnPermits`.
    package func takePermits(_ wanted: Int, hasWork: () async -> Bool = { true }) async -> Int {
        await self.takePermits(wanted, of: .queue, hasWork: hasWork)
    }

    /// Takes a permit for a create that a look has permitted, and returns whether it may go now.
    ///
    /// It may use the share that is left for recovery, and so never waits behind the queue for good.
    package func takeRecoveryPermit() async -> Bool {
        await self.takePermits(1, of: .recovery, hasWork: { true }) > 0
    }

    private func takePermits(_ wanted: Int, of share: Share, hasWork: () async -> Bool) async -> Int {
        let account = LimitScope.account.key
        guard let known = try? await self.know(), known.stopped[account] == nil, known.wait(for: .creates) == nil else {
            return 0
        }
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

    /// Gives back permits that `takePermits` or `takeRecoveryPermit` granted and nobody used.
    package func returnPermits(_ count: Int, of share: Share = .queue) async {
        guard count > 0 else { return }
        let account = LimitScope.account.key
        let hasRate = self.state.withLock { state in
            state.probes[account]?.left += Int32(count)
            return state.known?.rates[account] != nil
        }
        if hasRate { await self.giveBack(count, to: account, as: share) }
    }
}
