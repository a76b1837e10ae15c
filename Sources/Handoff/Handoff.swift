// SPDX-License-Identifier: Apache-2.0
// Credential → login token: the user's app gets a token to log in with, and never the SIP password.

package import Foundation
package import Model
package import Postgres
package import ProviderLimits
import Synchronization
package import Telnyx
package import Vault

/// What an app needs to log in.
package struct HandedToken: Sendable {
    package let loginToken: Secret<String>
    package let sipUsername: String
    package let expiresAt: Date
    /// When the app should ask again.
    package let refreshAfter: Date
}

package enum HandoffError: Error, Equatable {
    case unknownUser
    /// Not ready yet; ask again after this many seconds.
    case pending(retryAfter: Int)
    case failed
    case revoked
    case providerUnavailable(retryAfter: Int)
    case unavailable
}

/// Hands out login tokens.
package final class Handoff: Sendable {
    /// Requests that wait at the same time at most; each asks the database now and then.
    private static let maximumWaiting = 500

    private let pool: PostgresPool
    private let api: any TelephonyCredentialsAPI
    private let vault: Vault
    private let limits: ProviderLimits
    private let clock: ContinuousClock
    private let cache = TokenCache()
    private let waiting = Atomic(0)

    package init(
        pool: PostgresPool, api: any TelephonyCredentialsAPI, vault: Vault, limits: ProviderLimits,
        clock: ContinuousClock = ContinuousClock()
    ) {
        self.pool = pool
        self.api = api
        self.vault = vault
        self.limits = limits
        self.clock = clock
    }

    /// A token for this user. Waits up to `wait` for a user who is being provisioned.
    ///
    /// Cancelled here: nothing was changed; a token that was minted is forgotten.
    package func loginToken(for user: UserKey, wait: Duration, now: Date) async throws(HandoffError) -> HandedToken {
        let deadline = self.clock.now + min(wait, .seconds(30))
        var pause = Duration.milliseconds(25)
        let mayWait = self.waiting.add(1, ordering: .relaxed).newValue <= Self.maximumWaiting
        defer { self.waiting.subtract(1, ordering: .relaxed) }
        while true {
            let found = try await self.find(user)
            // While a rotation is under way, or when one has failed, the older credential serves.
            if let credential = found.credential { return try await self.mint(credential, for: user, now: now) }
            switch found.status {
            case .pending, .ready:
                guard mayWait, self.clock.now < deadline else { throw .pending(retryAfter: 1) }
                do {
                    try await self.clock.sleep(for: pause)
                } catch {
                    throw .pending(retryAfter: 1)
                }
                pause = min(pause * 1.5, .milliseconds(500))
            case .failed: throw .failed
            case .revoking, .revoked: throw .revoked
            }
        }
    }

    private struct Credential {
        let id: ProviderID
        let generation: Generation
        let sealedUsername: [UInt8]
    }

    private func find(_ user: UserKey) async throws(HandoffError) -> (status: UserStatus, credential: Credential?) {
        do {
            let rows = try await self.pool.query(
                """
                select u.status, c.provider_id, c.generation, c.sealed_username
                from dialtone.users u left join lateral (
                    select c.provider_id, c.generation, c.sealed_username from dialtone.credentials c
                    where c.tenant_id = u.tenant_id and c.user_id = u.user_id and c.status = 'active'
                      and u.wanted = 'live'
                    order by c.generation desc limit 1) c on true
                where u.tenant_id = \(user.tenant) and u.user_id = \(user.user)
                """)
            guard let row = rows.first else { throw HandoffError.unknownUser }
            var columns = row.columns
            let status: UserStatus = try columns.next()
            let id: ProviderID? = try columns.next()
            let generation: Generation? = try columns.next()
            let sealed: Bytes? = try columns.next()
            guard let id, let generation, let sealed else { return (status, nil) }
            return (status, Credential(id: id, generation: generation, sealedUsername: sealed.value))
        } catch let error as HandoffError {
            throw error
        } catch {
            throw .unavailable
        }
    }

    private func mint(_ credential: Credential, for user: UserKey, now: Date) async throws(HandoffError) -> HandedToken
    {
        let minted: LoginToken
        do throws(TelnyxFailure) {
            let api = self.api
            let limits = self.limits
            minted = try await self.cache.token(for: credential.id, now: now) {
                () throws(TelnyxFailure) -> LoginToken in
                // A pause that any node was told holds for tokens too. Not knowing it is no reason to refuse.
                let isOpen = try? await limits.allowsCalls()
                guard isOpen ?? true else { throw TelnyxFailure(.unavailable) }
                return try await api.token(credential.id)
            }
        } catch {
            switch error.kind {
            case .rateLimited:
                let wait = error.retryAfter ?? .seconds(1)
                await self.limits.pause(.account, for: wait)
                throw .providerUnavailable(retryAfter: Int(wait.components.seconds) + 1)
            case .notFound, .refused, .rejected, .unavailable, .unreadable: throw .providerUnavailable(retryAfter: 5)
            }
        }
        do {
            let binding = SealedBinding.credential(
                "sealed_username", of: user, generation: credential.generation, credential.id)
            let username = try await self.vault.open(credential.sealedUsername, binding)
            // The vendor's JavaScript client warns 120 s before the end; an app should have asked by then.
            let margin = max(120, minted.expiresAt.timeIntervalSince(now) / 10)
            return HandedToken(
                loginToken: minted.token, sipUsername: username.reveal(), expiresAt: minted.expiresAt,
                refreshAfter: max(now, minted.expiresAt.addingTimeInterval(-margin)))
        } catch {
            throw .unavailable
        }
    }
}
