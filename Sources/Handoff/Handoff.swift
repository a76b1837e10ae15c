// SPDX-License-Identifier: Apache-2.0
// Credential → login token: the user's app gets a token to log in with, and never the SIP password.
//
// Each call reads the ledger, so a revoked user gets nothing from that moment on. The provider makes the token; it is
// kept in memory (`TokenCache`), so that many calls of one user make one token. A caller may wait for a user who is
// still being provisioned.

package import Foundation
package import Logging
package import Model
package import Postgres
package import ProviderLimits
import ServiceLifecycle
package import Telemetry
package import Telnyx
package import Vault

/// Hands out login tokens.
package final class Handoff: Sendable {
    private let pool: PostgresPool
    private let api: any TelephonyCredentialsAPI
    private let vault: Vault
    private let limits: ProviderLimits
    private let metrics: Measurements
    private let clock: ContinuousClock
    private let cache = TokenCache()
    private let shares: PoolShares
    private let waiting = WaitingRequests()
    let times: TokenTimes

    /// `shares` counts the reads of each tenant and key.
    package init(
        pool: PostgresPool, api: any TelephonyCredentialsAPI, vault: Vault, limits: ProviderLimits,
        shares: PoolShares = PoolShares(), metrics: Measurements = Measurements(),
        logger: Logger? = nil, clock: ContinuousClock = ContinuousClock()
    ) {
        self.pool = pool
        self.shares = shares
        self.api = api
        self.vault = vault
        self.limits = limits
        self.metrics = metrics
        self.clock = clock
        self.times = TokenTimes(pool: pool, logger: logger)
    }

    /// Returns a token for this user. Waits up to `wait`, 30 s at most, for a user who is being provisioned. To a reader
    /// of another tenant the user is unknown.
    ///
    /// Cancelled here: nothing was changed; a token that was minted is forgotten.
    package func loginToken(
        for user: UserKey, as reader: Reader, wait: Duration, now: Date
    ) async throws(HandoffError) -> HandedToken {
        do {
            let token = try await self.token(for: user, as: reader, wait: wait, now: now)
            self.metrics.loginTokens.add(token.isMinted ? .minted : .cached)
            return token
        } catch {
            self.metrics.loginTokens.add(error.result)
            throw error
        }
    }

    private func token(
        for user: UserKey, as reader: Reader, wait: Duration, now: Date
    ) async throws(HandoffError) -> HandedToken {
        let deadline = self.clock.now + min(wait, .seconds(30))
        var pause = Duration.milliseconds(25)
        var isWaiting = false
        defer { if isWaiting { self.waiting.leave(user.tenant) } }
        while true {
            if let found = try await self.find(user, as: reader, isWaiting: isWaiting) {
                // During a rotation, and after one that has failed, the older credential serves.
                if let credential = found.credential { return try await self.handOut(credential, for: user, now: now) }
                switch found.status {
                case .pending, .ready: break
                case .failed: throw .failed
                case .revoking, .revoked: throw .revoked
                }
            }
            // A process that stops lets nobody wait: another one can answer at once.
            let left = deadline - self.clock.now
            guard left > .zero, !Task.isShuttingDownGracefully else { throw .pending(retryAfter: 1) }
            if !isWaiting { isWaiting = self.waiting.enter(user.tenant) }
            guard isWaiting, (try? await self.clock.sleep(for: min(pause, left))) != nil else {
                throw .pending(retryAfter: 1)
            }
            pause = min(pause * 1.5, .milliseconds(500))
        }
    }

    /// Looks the user up as one request of its tenant and key. While the caller waits, a look for which there is no
    /// place is left out: nil.
    private func find(
        _ user: UserKey, as reader: Reader, isWaiting: Bool
    ) async throws(HandoffError) -> Found? {
        let owners = [PoolShare.tenant(reader.tenant.rawValue)] + (reader.key.map { [.key($0)] } ?? [])
        do {
            return try await self.shares.hold(owners) { try await self.find(user, as: reader) }
        } catch is PoolShares.TooMany {
            guard isWaiting else { throw .tooManyRequests(retryAfter: 1) }
            return nil
        } catch let error as HandoffError {
            throw error
        } catch let error as PostgresError where error.isRefusedForGood {
            throw .refusedValue
        } catch {
            throw .unavailable
        }
    }

    private typealias Found = (status: UserStatus, credential: Credential?)

    private struct Credential {
        let id: ProviderID
        let generation: Generation
        let sealedUsername: [UInt8]
    }

    /// Returns where the user stands, and the newest credential that serves, if there is one.
    ///
    /// Enters users and credentials by their primary keys. It locks nothing. Row-level security shows it the rows of
    /// the reader's tenant only, should it ever forget its `where`.
    private func find(_ user: UserKey, as reader: Reader) async throws -> Found {
        let rows = try await self.pool.query(
            """
            select owner.status, serving.provider_id, serving.generation, serving.sealed_username
            from dialtone.users owner left join lateral (
                select credential.provider_id, credential.generation, credential.sealed_username
                from dialtone.credentials credential
                where credential.tenant_id = owner.tenant_id and credential.user_id = owner.user_id
                  and credential.status = 'active' and owner.wanted = 'live'
                order by credential.generation desc limit 1) serving on true
            where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)
            """, as: "dialtone_tenant", with: ("dialtone.tenant", reader.tenant.rawValue))
        guard let row = rows.first else { throw HandoffError.unknownUser }
        var columns = row.columns
        let status: UserStatus = try columns.next()
        let id: ProviderID? = try columns.next()
        let generation: Generation? = try columns.next()
        let sealed: Bytes? = try columns.next()
        guard let id, let generation, let sealed else { return (status, nil) }
        return (status, Credential(id: id, generation: generation, sealedUsername: sealed.value))
    }

    private func handOut(
        _ credential: Credential, for user: UserKey, now: Date
    ) async throws(HandoffError) -> HandedToken {
        let (minted, isMinted) = try await self.token(of: credential, for: user.tenant, now: now)
        do {
            let binding = SealedBinding.credential(
                "sealed_username", of: user, generation: credential.generation, credential.id)
            let username = try await self.vault.open(credential.sealedUsername, binding)
            // The vendor's JavaScript client warns 120 s before the end; an app should have asked by then.
            let margin = max(120, minted.expiresAt.timeIntervalSince(now) / 10)
            return HandedToken(
                loginToken: minted.token, sipUsername: username.reveal(), expiresAt: minted.expiresAt,
                refreshAfter: max(now, minted.expiresAt.addingTimeInterval(-margin)), isMinted: isMinted)
        } catch {
            throw .unavailable
        }
    }

    /// Returns the credential's token in memory, or a new one from the provider.
    private func token(
        of credential: Credential, for tenant: TenantID, now: Date
    ) async throws(HandoffError) -> (token: LoginToken, isMinted: Bool) {
        try await self.cache.token(for: credential.id, of: tenant, now: now) {
            () async throws(HandoffError) -> LoginToken in
            try await self.mint(credential.id, for: tenant)
        }
    }

    /// Asks the provider for a token, within the limits.
    ///
    /// A pause that the provider told any node about tokens holds here too, and so does the budget of all calls. When the
    /// limits cannot be read, the call is made. Each tenant may ask for so many only: the provider's 429 would be
    /// everybody's.
    ///
    /// Cancelled here: nothing is sent, or a token is minted that nobody has.
    private func mint(_ id: ProviderID, for tenant: TenantID) async throws(HandoffError) -> LoginToken {
        // The permit comes first: it bounds how many of a tenant ask the database for the limits.
        if case .wait(let wait) = self.limits.takeTokenPermit(for: tenant.rawValue) {
            throw .tooManyTokens(retryAfter: Self.seconds(wait))
        }
        defer { self.limits.returnTokenPermit(for: tenant.rawValue) }
        if case .wait(let wait) = await self.limits.permit(.tokens, lane: tenant.rawValue) {
            throw .providerUnavailable(retryAfter: Self.seconds(wait))
        }
        do throws(TelnyxFailure) {
            let token = try await self.api.token(id)
            self.times.note(id)
            return token
        } catch {
            // A failed note is written by the next call.
            if MissingNote.isDue(to: error) { _ = try? await self.pool.query(MissingNote.write(id)) }
            switch error.kind {
            case .rateLimited:
                let wait = error.retryAfter ?? .seconds(1)
                await self.limits.pause(.tokens, for: wait)
                throw .providerUnavailable(retryAfter: Self.seconds(wait))
            case .notFound, .refused, .rejected, .unavailable, .unreadable: throw .providerUnavailable(retryAfter: 5)
            }
        }
    }

    /// Returns whole seconds, at least as long as the wait.
    private static func seconds(_ wait: Duration) -> Int { Int(wait.components.seconds) + 1 }
}
