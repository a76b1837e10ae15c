// SPDX-License-Identifier: Apache-2.0
// Many calls for one user mint one token, which stays in memory while more than half of its life is left.

import Foundation
import Model
import Synchronization
import Telnyx

/// Login tokens by tenant and credential. The database says whether a credential may still be used; this cache does
/// not.
///
/// A tenant has a limit of its own, and what is forgotten is the oldest: a tenant with many users cannot empty the
/// cache for all.
final class TokenCache: Sendable {
    typealias Minting = Task<Result<LoginToken, HandoffError>, Never>

    private struct Held {
        var token: LoginToken
        var mintedAt: Date
        /// Counts up, so that the oldest has the smallest.
        var number: UInt64

        func isFresh(at now: Date) -> Bool {
            let life = self.token.expiresAt.timeIntervalSince(self.mintedAt)
            return self.token.expiresAt.timeIntervalSince(now) > life / 2
        }
    }

    private struct State {
        var held: [TenantID: [ProviderID: Held]] = [:]
        /// How many are held for all tenants.
        var count = 0
        var number: UInt64 = 0
        var minting: [ProviderID: Minting] = [:]
    }

    private enum Step {
        case held(LoginToken)
        case minting(Minting)
    }

    private let maximum: Int
    private let maximumOfTenant: Int
    private let state = Mutex(State())

    /// `maximum` is for all tenants together. A token has about 1 KB.
    init(maximum: Int = 40_000, maximumOfTenant: Int = 10_000) {
        self.maximum = maximum
        self.maximumOfTenant = maximumOfTenant
    }

    /// Returns the token in memory, or the token that `mint` returns, which `isMinted` says. `mint` runs once for all
    /// calls that come meanwhile. A failure is not kept.
    ///
    /// Cancelled here: the minting goes on for the others and ends at its own deadline.
    func token(
        for id: ProviderID, of tenant: TenantID, now: Date,
        mint: @escaping @Sendable () async throws(HandoffError) -> LoginToken
    ) async throws(HandoffError) -> (token: LoginToken, isMinted: Bool) {
        let step = self.state.withLock { state -> Step in
            if let held = state.held[tenant]?[id], held.isFresh(at: now) { return .held(held.token) }
            if let minting = state.minting[id] { return .minting(minting) }
            // Unstructured, because it belongs to every call that waits for it: it must not end with its first call.
            let minting = Minting {
                let result: Result<LoginToken, HandoffError>
                do throws(HandoffError) {
                    result = .success(try await mint())
                } catch {
                    result = .failure(error)
                }
                self.minted(result, for: id, of: tenant, at: now)
                return result
            }
            state.minting[id] = minting
            return .minting(minting)
        }
        switch step {
        case .held(let token): return (token, false)
        case .minting(let minting): return (try await minting.value.get(), true)
        }
    }

    private func minted(
        _ result: Result<LoginToken, HandoffError>, for id: ProviderID, of tenant: TenantID, at now: Date
    ) {
        self.state.withLock { state in
            state.minting[id] = nil
            if state.held[tenant]?.removeValue(forKey: id) != nil { state.count -= 1 }
            if case .success(let token) = result {
                self.makeRoom(for: tenant, in: &state)
                state.number += 1
                state.held[tenant, default: [:]][id] = Held(token: token, mintedAt: now, number: state.number)
                state.count += 1
            }
            if state.held[tenant]?.isEmpty == true { state.held[tenant] = nil }
        }
    }

    // MARK: Forgetting

    /// Forgets the oldest tenth of the tenant's tokens, or of all, where there are too many. A tenth at a time, because
    /// finding the oldest costs a look at each.
    private func makeRoom(for tenant: TenantID, in state: inout State) {
        if let own = state.held[tenant], own.count >= self.maximumOfTenant {
            let kept = Self.withoutOldest(own, upTo: Self.oldest(own.values.map(\.number)))
            state.count -= own.count - kept.count
            state.held[tenant] = kept
        }
        guard state.count >= self.maximum else { return }
        let last = Self.oldest(state.held.values.flatMap { $0.values.map(\.number) })
        state.held = state.held.mapValues { Self.withoutOldest($0, upTo: last) }.filter { !$0.value.isEmpty }
        state.count = state.held.values.reduce(0) { $0 + $1.count }
    }

    /// Returns the largest number of the oldest tenth, which is one token at least.
    private static func oldest(_ numbers: [UInt64]) -> UInt64 { numbers.sorted()[numbers.count / 10] }

    private static func withoutOldest(_ held: [ProviderID: Held], upTo last: UInt64) -> [ProviderID: Held] {
        held.filter { $0.value.number > last }
    }
}
