// SPDX-License-Identifier: Apache-2.0
// The provider behind the limits: each call waits for its permit, and its answer may pause or stop the calls of all.
//
// A 429 or a 401 is news for every node, because all of them share one account. This room passes such answers on to
// `ProviderLimits`, a 429 with the kind of call that met it. `JobRun` sends the create itself, because a create has
// more outcomes than a call that may be repeated. The other files of the room say how credentials are named and tagged
// at the provider, and when a 404 can be believed.

import Model
import ProviderLimits
import Telnyx

/// The provider's API, with its limits kept. Each call waits for its permit, each page of a list for its own.
struct GuardedProvider: TelephonyCredentialsAPI {
    let api: any TelephonyCredentialsAPI
    let limits: ProviderLimits
    /// Whether the calls use the workers' own key. An answer to another key opens and closes no breaker of the workers.
    var isWorkers = true
    /// The kind of its lists and questions. Its deletes are of a kind of their own, unless all its calls are the sweep's.
    var kind = CallKind.looks
    /// The kind whose right its calls have, where it is not their own: its part of the budget, and its pause alone.
    var right: CallKind?
    /// The turn that each of its calls waits for; nil: none.
    var turn: SweepTurn?
    /// How its calls wait while they are held back; nil: they fail at once.
    var patience: CallPatience?

    /// The same provider for the calls that a worker's sweep makes by itself.
    func forSweep(_ turn: SweepTurn) -> GuardedProvider {
        GuardedProvider(
            api: self.api, limits: self.limits, isWorkers: self.isWorkers, kind: .sweep, turn: turn)
    }

    /// Returns whether a call may be made now. One with patience may, because it waits by itself. Throws when the
    /// database cannot say.
    func allowsCalls() async throws -> Bool {
        if self.patience != nil { return true }
        return try await self.limits.allows(self.right ?? self.kind)
    }

    /// Sends the create as it is. The caller holds its permits, and deals with its outcome.
    func create(_ request: CreateRequest) async -> CreateOutcome { await self.api.create(request) }

    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        try await self.permitted(self.kind) { () async throws(TelnyxFailure) in
            try await self.api.list(query, page: page)
        }
    }

    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential {
        try await self.permitted(self.kind) { () async throws(TelnyxFailure) in try await self.api.retrieve(id) }
    }

    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace {
        try await self.permitted(self.kind == .sweep ? .sweep : .deletes) { () async throws(TelnyxFailure) in
            try await self.api.delete(id)
        }
    }

    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken {
        try await self.permitted(.tokens) { () async throws(TelnyxFailure) in try await self.api.token(id) }
    }

    /// Makes one call when it is permitted. With patience it waits for a pause to end, and is then made again: what has
    /// met a 429 was not done.
    private func permitted<Value>(
        _ kind: CallKind, _ call: () async throws(TelnyxFailure) -> Value
    ) async throws(TelnyxFailure) -> Value {
        guard let patience = self.patience else { return try await self.once(kind, call) }
        if let rest = patience.rest { throw Self.heldBack(rest) }
        let deadline = patience.deadline
        while true {
            do throws(TelnyxFailure) {
                return try await self.once(kind, call)
            } catch {
                guard error.kind == .rateLimited,
                    await patience.wait(for: error.retryAfter ?? .seconds(1), until: deadline)
                else { throw error }
            }
        }
    }

    /// Makes one call if it is permitted now, and notes its answer. A 429 pauses the calls of its kind for all nodes. A
    /// 401 stops the account. A 403 may be about this one call alone, so it stops nothing.
    ///
    /// Without a permit nothing is sent, and the failure `isHeldBack`. Cancelled in the line for the permit: as without
    /// one.
    private func once<Value>(
        _ kind: CallKind, _ call: () async throws(TelnyxFailure) -> Value
    ) async throws(TelnyxFailure) -> Value {
        if let turn { await self.limits.wait(for: turn) }
        if case .wait(let wait) = await self.limits.permit(self.right ?? kind) { throw Self.heldBack(wait) }
        do {
            let value = try await call()
            if self.isWorkers { await self.limits.authenticated() }
            return value
        } catch {
            switch error.kind {
            case .rateLimited: await self.limits.pause(kind, for: error.retryAfter ?? .seconds(1))
            case .refused:
                if error.trace.httpStatus == 401, self.isWorkers {
                    _ = await self.limits.openBreaker(.account, reason: "HTTP 401")
                }
            case .notFound, .rejected, .unavailable, .unreadable: break
            }
            throw error
        }
    }

    private static func heldBack(_ wait: Duration) -> TelnyxFailure {
        TelnyxFailure(.rateLimited, words: ProviderWords(text: "waits for the limit"), retryAfter: wait)
    }
}

extension TelnyxFailure {
    /// Whether the call got no permit. It was not sent, so it says nothing of the provider.
    var isHeldBack: Bool { self.kind == .rateLimited && self.trace.httpStatus == nil }
}
