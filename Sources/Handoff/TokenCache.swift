// SPDX-License-Identifier: Apache-2.0
// Many calls for one user mint one token, which stays in memory while more than half of its life is left.

import Foundation
import Model
import Synchronization
import Telnyx

/// Login tokens by credential. The database says whether a credential may still be used; this cache does not.
final class TokenCache: Sendable {
    typealias Minting = Task<Result<LoginToken, TelnyxFailure>, Never>

    private struct Held {
        var token: LoginToken
        var mintedAt: Date

        func isFresh(at now: Date) -> Bool {
            let life = self.token.expiresAt.timeIntervalSince(self.mintedAt)
            return self.token.expiresAt.timeIntervalSince(now) > life / 2
        }
    }

    private struct State {
        var held: [ProviderID: Held] = [:]
        var minting: [ProviderID: Minting] = [:]
    }

    private enum Step {
        case held(LoginToken)
        case minting(Minting)
    }

    private let maximum: Int
    private let state = Mutex(State())

    init(maximum: Int = 10_000) { self.maximum = maximum }

    /// Returns the token in memory, or the token that `mint` returns. `mint` runs once for all calls that come
    /// meanwhile. A failure is not kept.
    ///
    /// Cancelled here: the minting goes on for the others and ends at its own deadline.
    func token(
        for id: ProviderID, now: Date, mint: @escaping @Sendable () async throws(TelnyxFailure) -> LoginToken
    ) async throws(TelnyxFailure) -> LoginToken {
        let step = self.state.withLock { state -> Step in
            if let held = state.held[id], held.isFresh(at: now) { return .held(held.token) }
            if let minting = state.minting[id] { return .minting(minting) }
            // Unstructured, because it belongs to every call that waits for it: it must not end with its first call.
            let minting = Minting {
                let result: Result<LoginToken, TelnyxFailure>
                do throws(TelnyxFailure) {
                    result = .success(try await mint())
                } catch {
                    result = .failure(error)
                }
                self.minted(result, for: id, at: now)
                return result
            }
            state.minting[id] = minting
            return .minting(minting)
        }
        switch step {
        case .held(let token): return token
        case .minting(let minting): return try await minting.value.get()
        }
    }

    private func minted(_ result: Result<LoginToken, TelnyxFailure>, for id: ProviderID, at now: Date) {
        self.state.withLock { state in
            state.minting[id] = nil
            guard case .success(let token) = result else {
                state.held[id] = nil
                return
            }
            if state.held.count >= self.maximum { state.held = state.held.filter { $0.value.isFresh(at: now) } }
            if state.held.count >= self.maximum { state.held.removeAll() }
            state.held[id] = Held(token: token, mintedAt: now)
        }
    }
}
