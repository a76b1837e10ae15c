// SPDX-License-Identifier: Apache-2.0
// The look: does the provider have a credential of this name?

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import Queue
import Telemetry
import Telnyx

extension JobRun {
    /// Lists by name and compares the names here: whether the provider's filter is exact is not documented.
    func look(_ state: inout RunState) async -> JobEvent {
        state.beginStep()
        do {
            let found = try await self.live(&state).sorted { lhs, rhs in
                (lhs.createdAt ?? .distantPast, lhs.id) < (rhs.createdAt ?? .distantPast, rhs.id)
            }
            state.found = found.first
            state.isAdopted = !found.isEmpty
            return .looked(found: found.map(\.id))
        } catch let failure as TelnyxFailure {
            state.trace = Trace(failure.trace)
            state.hasFailed = true
            self.throttledLog.log("a look at the provider failed; the job waits", ["error": "\(failure)"])
            return .lookFailed(failure.retryAfter)
        } catch {
            state.hasFailed = true
            return .lookFailed(nil)
        }
    }

    /// Credentials of the job's name that have not expired and are no surplus: from a recent list of its tag if there
    /// is one, else by name. Before absence is believed the tag is listed too, in case names are not found as they
    /// should be.
    private func live(_ state: inout RunState) async throws -> [TelephonyCredential] {
        let name = self.name(state)
        // A page is asked for only while the lease has room for it.
        let limit = state.leaseEnd - self.deadline
        let shown = await self.shownUnderTag(&state)
        var alive = try await self.withoutSurplus(shown.filter { $0.isLive(under: name) })
        if alive.isEmpty {
            let named = try await self.list(ListQuery(name: name), until: limit, &state)
            alive = try await self.withoutSurplus(named.filter { $0.isLive(under: name) })
        }
        if alive.isEmpty, let tag = state.sharedTag, let moment = self.settledAt(state) {
            let tagged = try await self.list(tag, notBefore: moment, until: limit, &state)
            alive = try await self.withoutSurplus(tagged.filter { $0.isLive(under: name) })
        }
        return alive
    }

    /// What a recent list of the job's tag shows. It proves presence, never absence: a job that is not on it is looked
    /// up by name. Such a list is made when the job is one of many. When it fails, names decide.
    private func shownUnderTag(_ state: inout RunState) async -> [TelephonyCredential] {
        guard let tag = state.sharedTag else { return [] }
        if let recent = await self.tagLists.recent(tag) { return recent.credentials }
        guard state.isOneOfMany else { return [] }
        let limit = min(state.leaseEnd - self.deadline, .now + self.deadline)
        return (try? await self.list(tag, notBefore: state.begun - TagLists.life, until: limit, &state)) ?? []
    }

    private func list(
        _ tag: SharedTag, notBefore moment: ContinuousClock.Instant, until limit: ContinuousClock.Instant,
        _ state: inout RunState
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        let began = ContinuousClock.now
        defer { state.noteCall(since: began) }
        let provider = self.provider
        return try await self.tagLists.list(tag, notBefore: moment) { () async throws(TelnyxFailure) in
            try await provider.listAll(ListQuery(tag: tag.tag), until: limit)
        }.credentials
    }

    /// From when on, by the local clock, a list may prove absence. Nil: it cannot yet, or the moment is not known.
    ///
    /// The claim has read by the database's clock how far off that is, and was answered before the run began. So the
    /// true moment is no later than the one returned. A job that was never in doubt has none to wait for. But it may
    /// look because a visit has seen something under its name, and an older list does not show that.
    private func settledAt(_ state: RunState) -> ContinuousClock.Instant? {
        guard state.job.life.mayProveAbsence else { return nil }
        if let quietIn = state.job.life.quietIn {
            let settled = state.begun + quietIn
            return state.job.mustLook ? max(settled, state.begun) : settled
        }
        return state.needsFreshList ? state.begun : state.begun - TagLists.life
    }

    private func list(
        _ query: ListQuery, until limit: ContinuousClock.Instant, _ state: inout RunState
    ) async throws(TelnyxFailure) -> [TelephonyCredential] {
        let began = ContinuousClock.now
        defer { state.noteCall(since: began) }
        return try await self.provider.listAll(query, until: limit)
    }

    private func withoutSurplus(_ alive: [TelephonyCredential]) async throws -> [TelephonyCredential] {
        if alive.isEmpty { return [] }
        let rows = try await self.pool.query(Surplus.among(alive.map(\.id)))
        var surplus: Set<String> = []
        for row in rows { surplus.insert(try row.decode(String.self)) }
        return alive.filter { !surplus.contains($0.id.rawValue) }
    }

    /// Writes down what a look has found beside the canonical credential.
    ///
    /// Cancelled or failed here: nothing is lost. The next look or sweep finds them again.
    func remember(_ ids: [ProviderID], _ state: RunState) async {
        let surplus = Surplus(
            ids: ids, user: state.job.user, generation: state.job.life.generation, name: self.name(state),
            tag: state.job.tag)
        let answers = try? await self.pool.withConnection { try await $0.pipeline([surplus.statements]) }
        if let rows = try? answers?.first?.last?.get() { self.metrics.secondCredentials.add(rows.affected) }
    }
}

extension TelephonyCredential {
    fileprivate func isLive(under name: String) -> Bool { self.bears(name) && !self.expired }
}
