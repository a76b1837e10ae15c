// SPDX-License-Identifier: Apache-2.0
// The provider behind the limits: each call except the create, whose answer may pause or stop the calls of all nodes.
//
// A 429 or a 401 is news for every node, because all of them share one account. This room passes such answers on to
// `ProviderLimits`, a 429 with the kind of call that met it. `JobRun` sends the create itself, because a create has
// more outcomes than a call that may be repeated. The other files of the room say how credentials are named and tagged
// at the provider, and when a 404 can be believed.

import Model
import ProviderLimits
import Telnyx

/// The provider's API, with its limits kept.
struct GuardedProvider: Sendable {
    let api: any TelephonyCredentialsAPI
    let limits: ProviderLimits
    /// Whether the calls use the workers' own key. An answer to another key opens and closes no breaker of the workers.
    var isWorkers = true
    /// The kind of these calls. A 429 pauses calls of this kind, and those that its pause stops too.
    var kind = CallKind.creates

    /// The same provider for the calls of the sweep.
    var forSweep: GuardedProvider {
        GuardedProvider(api: self.api, limits: self.limits, isWorkers: self.isWorkers, kind: .sweep)
    }

    /// Returns whether a call may be made now. Throws when the database cannot say.
    func allowsCalls() async throws -> Bool { try await self.limits.allows(self.kind) }

    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        try await self.noting { () async throws(TelnyxFailure) in try await self.api.list(query, page: page) }
    }

    /// Lists every page. A list that is not whole by `deadline`, or has more pages, throws: it is a failed look.
    func listAll(
        _ query: ListQuery, until deadline: ContinuousClock.Instant, maximumPages: Int = 1000
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        try await self.noting { () async throws(TelnyxFailure) in
            try await self.api.listAll(query, until: deadline, maximumPages: maximumPages)
        }
    }

    /// Lists every page, and throws unless there are as many credentials as the provider says.
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

    /// Makes one call and notes its answer. A 429 pauses the calls of its kind for all nodes. A 401 stops the account.
    /// A 403 may be about this one call alone, so it stops nothing.
    private func noting<Value>(
        _ call: () async throws(TelnyxFailure) -> Value
    ) async throws(TelnyxFailure) -> Value {
        do {
            let value = try await call()
            if self.isWorkers { await self.limits.authenticated() }
            return value
        } catch {
            switch error.kind {
            case .rateLimited: await self.limits.pause(self.kind, for: error.retryAfter ?? .seconds(1))
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
