// SPDX-License-Identifier: Apache-2.0
// The provider as the worker meets it: every call but the create, with what its answer means for all nodes passed on.

import Model
import ProviderLimits
import Telnyx

/// The API, with its limits kept.
struct GuardedProvider: Sendable {
    let api: any TelephonyCredentialsAPI
    let limits: ProviderLimits
    /// Whether the key is the workers' own: what is said of another one opens and closes no breaker of theirs.
    var isWorkers = true

    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        try await self.noting { () async throws(TelnyxFailure) in try await self.api.list(query, page: page) }
    }

    /// Every page. A list that is not whole by `deadline` is a failed look.
    func listAll(
        _ query: ListQuery, until deadline: ContinuousClock.Instant
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        try await self.noting { () async throws(TelnyxFailure) in
            try await self.api.listAll(query, until: deadline)
        }
    }

    /// Every page, and as many credentials as the provider says there are.
    func listWhole(
        _ query: ListQuery, until deadline: ContinuousClock.Instant
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        try await self.noting { () async throws(TelnyxFailure) in
            try await self.api.listWhole(query, until: deadline)
        }
    }

    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        try await self.noting { () async throws(TelnyxFailure) in try await self.api.retrieve(id) }
    }

    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        try await self.noting { () async throws(TelnyxFailure) in try await self.api.delete(id) }
    }

    /// A 429 pauses the account for all nodes. A 401 stops it; a 403 of one call may be about that call alone.
    private func noting<Value>(
        _ call: () async throws(TelnyxFailure) -> Value
    ) async throws(TelnyxFailure) -> Value {
        do {
            let value = try await call()
            if self.isWorkers { await self.limits.authenticated() }
            return value
        } catch {
            switch error.kind {
            case .rateLimited: await self.limits.pause(.account, for: error.retryAfter ?? .seconds(1))
            case .refused:
                if error.trace.httpStatus == 401, self.isWorkers {
                    _ = await self.limits.openBreaker(.account, reason: "HTTP 401")
                }
            case .notFound, .rejected, .unavailable, .unreadable: break
            }
            throw error
        }
    }
}
