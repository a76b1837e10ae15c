// SPDX-License-Identifier: Apache-2.0
// The calls of one job, and what each answer means: create, look, delete.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import Vault

extension JobRun {
    /// Takes what a create needs of the limits and this run does not hold yet; answers how long it must wait, if it
    /// must.
    func permit(_ turn: inout Turn) async -> Duration? {
        if turn.accountShare == nil {
            guard await self.provider.limits.takeRecoveryPermit() else { return .seconds(5) }
            turn.accountShare = .recovery
        }
        if !turn.holdsConnection {
            if case .wait(let wait) = await self.provider.limits.takePermit(for: turn.job.connectionID) { return wait }
            turn.holdsConnection = true
        }
        return nil
    }

    /// What was permitted and not used.
    func release(_ turn: Turn) async {
        if turn.holdsConnection { await self.provider.limits.returnPermit(for: turn.job.connectionID) }
        if let share = turn.accountShare { await self.provider.limits.returnPermits(1, of: share) }
    }

    /// The one call that is not idempotent. It starts only while the lease has room for the whole deadline, and when
    /// all it needs is in hand; permission comes last.
    func create(_ turn: inout Turn) async -> JobEvent {
        let connection = turn.job.connectionID
        guard let tag = turn.job.tag else { return .notSent }
        do {
            turn.sealer = try await self.vault.sealer(for: turn.job.user.tenant.rawValue)
        } catch {
            turn.hasFailed = true
            self.throttledLog.log(
                "the sealing key is not to be had, so nothing is created", ["tenant": "\(turn.job.user.tenant)"])
            return .notSent
        }
        if let wait = await self.permit(&turn) {
            turn.trace = Trace(errorCode: "waits_for_limit")
            // Who lines up by a rate has a place of its own; a breaker's end is the same moment for all.
            if await self.provider.limits.hasRate(connection) { return .rateLimited(wait) }
            turn.hasFailed = true
            return .refused(wait)
        }
        guard ContinuousClock.now + self.deadline < turn.leaseEnd else { return .notSent }
        let request = CreateRequest(connectionID: connection, name: self.name(turn), tag: tag, expiresAt: nil)
        let outcome = await self.provider.api.create(request)
        if case .notSent = outcome {} else { (turn.accountShare, turn.holdsConnection) = (nil, false) }
        switch outcome {
        case .created(let credential, let trace):
            turn.trace = Trace(trace)
            turn.found = credential
            await self.provider.limits.succeeded(connection: connection)
            return .created(credential.id)
        case .notSent:
            turn.hasFailed = true
            turn.trace = Trace(errorCode: "not_sent")
            self.throttledLog.log("the provider cannot be reached; jobs wait")
            return .notSent
        case .rateLimited(let wait, let trace):
            turn.trace = Trace(trace)
            self.throttledLog.log(
                "the provider asks to slow down", level: .notice, ["seconds": "\(wait.components.seconds)"])
            await self.provider.limits.pause(.account, for: wait)
            return .rateLimited(wait)
        case .unauthorised(let scope, let trace):
            turn.trace = Trace(trace)
            turn.hasFailed = true
            self.throttledLog.log(
                "the provider refuses; creates stop until a probe works", level: .error, scope: connection,
                ["status": "\(trace.httpStatus ?? 0)", "connection": "\(scope == .account ? "all" : connection)"])
            return .refused(
                await self.provider.limits.openBreaker(
                    scope == .account ? .account : .connection(connection), reason: "HTTP \(trace.httpStatus ?? 0)"))
        case .rejected(let status, let words, let trace):
            turn.trace = Trace(trace, code: words.code)
            turn.words = words.text
            self.throttledLog.log(
                "the provider rejects a create", scope: connection,
                [
                    "status": "\(status)", "code": "\(words.code ?? "")", "words": "\(words.text ?? "")",
                    "connection": "\(connection)",
                ])
            return await self.rejection(tag, code: words.code ?? "HTTP \(status)", words, &turn)
        case .inDoubt(let reason, let trace):
            turn.trace = Trace(trace, code: "unknown: \(reason)")
            turn.hasFailed = true
            self.throttledLog.log(
                "a create's outcome is unknown; it is looked up", level: .notice, ["status": "\(trace.httpStatus ?? 0)"]
            )
            return .unknown
        }
    }

    /// A refusal may mean that the tag is full, in words nobody has published: so look at how many it holds. The same
    /// code for different users in a row means that the tenant's settings are at fault.
    func rejection(_ tag: String, code: String, _ words: ProviderWords, _ turn: inout Turn) async -> JobEvent {
        let total: Int
        do throws(TelnyxFailure) {
            let page = try await self.provider.list(ListQuery(tag: tag, pageSize: 1), page: 1)
            guard let results = page.totalResults else { return .rejectedUnclear }
            total = results
        } catch {
            turn.hasFailed = true
            return .rejectedUnclear
        }
        let isCounted = total >= self.tagCapacity
        if isCounted || words.soundLikeFullTag && total > 0 {
            _ = try? await self.pool.query(TagShards.isFull(tag, of: turn.job.user.tenant, total: total))
            return .tagFull(isCounted: isCounted)
        }
        let (connection, user) = (turn.job.connectionID, turn.job.user)
        if let wait = await self.provider.limits.rejected(connection: connection, code: code, user: "\(user.user)") {
            return .tenantRejected(wait)
        }
        // Lists lag: a tag that has just become full may not look it yet. So it takes two, some seconds apart.
        return turn.job.life.attempts == 0 ? .rejectedUnclear : .rejected
    }

    /// All pages by name, compared here: whether the provider's filter is exact is not documented. Before absence is
    /// believed the tag is listed too, in case names are not found as they should be.
    func look(_ turn: inout Turn) async -> JobEvent {
        let name = self.name(turn)
        // A page is asked for only while the lease has room for it.
        let limit = turn.leaseEnd - self.deadline
        do {
            var alive = turn.listed.filter { $0.bears(name) && !$0.expired }
            if alive.isEmpty {
                alive = try await self.provider.listAll(ListQuery(name: name), until: limit)
                    .filter { $0.bears(name) && !$0.expired }
            }
            let isLast = !turn.job.life.isDoubtful || turn.job.life.empties > 0
            if alive.isEmpty, isLast, let tag = turn.job.tag {
                alive = try await self.provider.listAll(ListQuery(tag: tag), until: limit)
                    .filter { $0.bears(name) && !$0.expired }
            }
            let rows = try await self.pool.query(Surplus.among(alive.map(\.id)))
            var surplus: Set<String> = []
            for row in rows { surplus.insert(try row.decode(String.self)) }
            let found = alive.filter { !surplus.contains($0.id.rawValue) }.sorted { lhs, rhs in
                (lhs.createdAt ?? .distantPast, lhs.id) < (rhs.createdAt ?? .distantPast, rhs.id)
            }
            turn.found = found.first
            return .looked(found: found.map(\.id))
        } catch let failure as TelnyxFailure {
            turn.trace = Trace(failure.trace)
            turn.hasFailed = true
            self.throttledLog.log("a look at the provider failed; the job waits", ["error": "\(failure)"])
            return .lookFailed(failure.retryAfter)
        } catch {
            turn.hasFailed = true
            return .lookFailed(nil)
        }
    }

    func delete(_ id: ProviderID, _ turn: inout Turn) async -> JobEvent {
        do throws(TelnyxFailure) {
            turn.trace = Trace(try await self.provider.delete(id))
            return .deleted(id)
        } catch {
            turn.trace = Trace(error.trace)
            if error.isNotFound, await self.witness.speaksForAccount(without: id) { return .deleted(id) }
            turn.hasFailed = true
            self.throttledLog.log("a credential cannot be deleted yet", ["error": "\(error)"])
            return .deleteFailed(error.retryAfter)
        }
    }
}
