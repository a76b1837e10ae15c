// SPDX-License-Identifier: Apache-2.0
// One job, from claim to result: ask the state machine, do the one thing it says, tell it what happened, until it is put down.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
package import Queue
import Telnyx
import Vault

/// What one run of a job leaves to be written.
package enum JobResult: Sendable {
    case owned(Evidence)
    case moved(Transition)
    case ended(Ending)
    case buried(Burial)
}

/// Runs one job against the provider. Holds no lock and writes nothing but surplus and a new lease.
struct JobRun: Sendable {
    let provider: Provider
    let pool: PostgresPool
    let vault: Vault
    let news: ProviderNews
    let witness: Witness
    let names: CredentialName
    let rules: LifeRules
    let lease: Duration
    let tagCapacity: Int
    /// How long one call to the provider may take.
    let deadline: Duration
    let random: @Sendable () -> Double

    /// Runs `job` to its result. `leaseEnd` is by the local clock, counted from before the claim was sent. `listed` is what a
    /// list of the job's tag has shown: presence, never absence.
    ///
    /// Cancelled here: a call under way ends as in doubt, and that is the result.
    func run(
        _ job: ClaimedJob, leaseEnd: ContinuousClock.Instant, listed: [TelephonyCredential] = []
    ) async -> JobResult {
        var turn = Turn(job: job, leaseEnd: leaseEnd, listed: listed)
        var (life, effects) = job.life.step(.claimed, rules: self.rules, jitter: self.random())
        // Who was not found once, and could not be made now, need not be looked for again.
        if turn.isFromDoubt, turn.empties > 0, life.isWanted, life.recorded == nil,
            let wait = await self.provider.limits.stopped(for: job.connectionID)
        {
            return self.putBack(turn, wait + wait * self.random())
        }
        while true {
            turn.job.life = life
            switch await self.perform(effects, &turn) {
            case .result(let result):
                await self.release(turn)
                return result
            case .event(let event): (life, effects) = life.step(event, rules: self.rules, jitter: self.random())
            }
        }
    }

    /// What the run knows beside the life of the job.
    private struct Turn {
        var job: ClaimedJob
        var leaseEnd: ContinuousClock.Instant
        var listed: [TelephonyCredential]
        var found: TelephonyCredential?
        /// In hand before a create is sent: what cannot be sealed must not be made.
        var sealer: Sealer?
        var trace = Trace()
        var words: String?
        var hasFailed = false
        let isFromDoubt: Bool
        /// The account's permission for one create; the queue's were given before the claim.
        var holdsAccount: Bool
        var holdsConnection = false
        /// Empty answers before this run.
        let empties: Int

        init(job: ClaimedJob, leaseEnd: ContinuousClock.Instant, listed: [TelephonyCredential]) {
            self.job = job
            self.leaseEnd = leaseEnd
            self.listed = listed
            self.isFromDoubt = job.lease.state == .looking
            self.holdsAccount = job.lease.state == .armed
            self.empties = job.life.empties
        }
    }

    private enum Outcome {
        case event(JobEvent)
        case result(JobResult)
    }

    private func perform(_ effects: [JobEffect], _ turn: inout Turn) async -> Outcome {
        for effect in effects {
            switch effect {
            case .surplus(let ids): await self.remember(ids, turn)
            case .rearm:
                // Asked before absence is spent: who is refused here keeps the empty answers it had.
                if let wait = await self.permit(&turn) {
                    return .result(self.putBack(turn, wait + wait * self.random()))
                }
                guard await self.rearm(&turn) else { return .result(self.doubt(turn, .seconds(1))) }
            case .create: return .event(await self.create(&turn))
            case .look: return .event(await self.look(&turn))
            case .delete(let id): return .event(await self.delete(id, &turn))
            case .own(let id): return .result(await self.own(id, &turn))
            case .close(let id): return .result(.ended(self.ending(turn, id.map { .deleted($0) } ?? .absent)))
            case .end: return .result(.ended(self.ending(turn, .fulfilled)))
            case .passOver: return .result(.ended(self.ending(turn, .passedOver)))
            case .schedule(let delay, let isCharged, let dropsTag):
                return .result(self.scheduled(turn, delay, isCharged: isCharged, dropsTag: dropsTag))
            case .doubt(let delay, let isCharged, let settle):
                return .result(self.doubt(turn, delay, isCharged: isCharged, settle: settle))
            case .bury(let reason): return .result(.buried(self.burial(turn, reason)))
            }
        }
        return .result(self.doubt(turn, .seconds(1)))
    }

    // MARK: Calls

    /// Takes what a create needs of the limits and this run does not hold yet; answers how long it must wait, if it must.
    private func permit(_ turn: inout Turn) async -> Duration? {
        if !turn.holdsAccount {
            guard await self.provider.limits.room(for: 1) > 0 else { return .seconds(5) }
            turn.holdsAccount = true
        }
        if !turn.holdsConnection {
            if let wait = await self.provider.limits.wait(for: turn.job.connectionID) { return wait }
            turn.holdsConnection = true
        }
        return nil
    }

    /// What was permitted and not used.
    private func release(_ turn: Turn) async {
        if turn.holdsConnection { await self.provider.limits.unsent(on: turn.job.connectionID) }
        if turn.holdsAccount { await self.provider.limits.unused(1) }
    }

    /// The one call that is not idempotent. It starts only while the lease has room for the whole deadline, and when all it
    /// needs is in hand; permission comes last.
    private func create(_ turn: inout Turn) async -> JobEvent {
        let connection = turn.job.connectionID
        guard let tag = turn.job.tag else { return .notSent }
        do {
            turn.sealer = try await self.vault.sealer(for: turn.job.user.tenant.rawValue)
        } catch {
            turn.hasFailed = true
            self.news.tell(
                "the sealing key is not to be had, so nothing is created", ["tenant": "\(turn.job.user.tenant)"])
            return .notSent
        }
        if let wait = await self.permit(&turn) {
            turn.trace = Trace(errorCode: "waits_for_limit")
            return .refused(wait)
        }
        guard ContinuousClock.now + self.deadline < turn.leaseEnd else { return .notSent }
        let request = CreateRequest(connectionID: connection, name: self.name(turn), tag: tag, expiresAt: nil)
        let outcome = await self.provider.api.create(request)
        if case .notSent = outcome {} else { (turn.holdsAccount, turn.holdsConnection) = (false, false) }
        switch outcome {
        case .created(let credential, let trace):
            turn.trace = Trace(trace)
            turn.found = credential
            await self.provider.limits.succeeded(connection: connection)
            return .created(credential.id)
        case .notSent:
            turn.hasFailed = true
            turn.trace = Trace(errorCode: "not_sent")
            self.news.tell("the provider cannot be reached; jobs wait")
            return .notSent
        case .rateLimited(let wait, let trace):
            turn.trace = Trace(trace)
            self.news.tell("the provider asks to slow down", level: .notice, ["seconds": "\(wait.components.seconds)"])
            await self.provider.limits.pause(.account, for: wait)
            return .rateLimited(wait)
        case .unauthorised(let scope, let trace):
            turn.trace = Trace(trace)
            self.news.tell(
                "the provider refuses; creates stop until a probe works", level: .error, scope: connection,
                ["status": "\(trace.httpStatus ?? 0)", "connection": "\(scope == .account ? "all" : connection)"])
            return .refused(
                await self.provider.limits.stop(
                    scope == .account ? .account : .connection(connection), reason: "HTTP \(trace.httpStatus ?? 0)"))
        case .rejected(let status, let words, let trace):
            turn.trace = Trace(trace, code: words.code)
            turn.words = words.text
            self.news.tell(
                "the provider rejects a create", scope: connection,
                [
                    "status": "\(status)", "code": "\(words.code ?? "")", "words": "\(words.text ?? "")",
                    "connection": "\(connection)",
                ])
            return await self.rejection(tag, code: words.code ?? "HTTP \(status)", words, &turn)
        case .inDoubt(let reason, let trace):
            turn.trace = Trace(trace, code: "unknown: \(reason)")
            turn.hasFailed = true
            self.news.tell(
                "a create's outcome is unknown; it is looked up", level: .notice, ["status": "\(trace.httpStatus ?? 0)"]
            )
            return .unknown
        }
    }

    /// A refusal may mean that the tag is full, in words nobody has published: so look at how many it holds. The same code
    /// for different users in a row means that the tenant's settings are at fault.
    private func rejection(_ tag: String, code: String, _ words: ProviderWords, _ turn: inout Turn) async -> JobEvent {
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
        return .rejected
    }

    /// All pages by name, compared here: whether the provider's filter is exact is not documented. Before absence is
    /// believed the tag is listed too, in case names are not found as they should be.
    private func look(_ turn: inout Turn) async -> JobEvent {
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
            self.news.tell("a look at the provider failed; the job waits", ["error": "\(failure)"])
            return .lookFailed(failure.retryAfter)
        } catch {
            turn.hasFailed = true
            return .lookFailed(nil)
        }
    }

    private func delete(_ id: ProviderID, _ turn: inout Turn) async -> JobEvent {
        do throws(TelnyxFailure) {
            turn.trace = Trace(try await self.provider.delete(id))
            return .deleted(id)
        } catch {
            turn.trace = Trace(error.trace)
            if error.isNotFound, await self.witness.speaksForAccount(without: id) { return .deleted(id) }
            turn.hasFailed = true
            self.news.tell("a credential cannot be deleted yet", ["error": "\(error)"])
            return .deleteFailed(error.retryAfter)
        }
    }

    // MARK: Results

    /// Seals what the provider gave. Whatever fails here leaves a credential behind that must be found again: in doubt.
    private func own(_ id: ProviderID, _ turn: inout Turn) async -> JobResult {
        do {
            var credential = turn.found
            if credential?.id != id || credential?.sipPassword == nil {
                credential = try await self.provider.retrieve(id)
            }
            guard let credential, let password = credential.sipPassword else {
                return self.lost(&turn)
            }
            let (user, generation) = (turn.job.user, turn.job.life.generation)
            var sealer = turn.sealer
            if sealer == nil { sealer = try await self.vault.sealer(for: user.tenant.rawValue) }
            guard let sealer else { return self.lost(&turn) }
            return .owned(
                Evidence(
                    lease: turn.job.lease, user: user, generation: generation, providerID: id,
                    name: self.name(turn), tag: turn.job.tag ?? "",
                    sealedUsername: try sealer.seal(
                        credential.sipUsername, .credential("sealed_username", of: user, generation: generation, id)),
                    sealedPassword: try sealer.seal(
                        password.reveal(), .credential("sealed_password", of: user, generation: generation, id)),
                    usernameIndex: sealer.blindIndex(credential.sipUsername, column: "sip_username"),
                    expiresAt: credential.expiresAt, overlap: turn.job.overlap, trace: turn.trace))
        } catch {
            return self.lost(&turn)
        }
    }

    /// It is there, and could not be taken: the job is in doubt until a look finds it.
    private func lost(_ turn: inout Turn) -> JobResult {
        turn.job.life.isDoubtful = true
        turn.hasFailed = true
        return self.doubt(turn, .seconds(1), isCharged: true, settle: self.rules.settle)
    }

    private func scheduled(_ turn: Turn, _ delay: Duration, isCharged: Bool, dropsTag: Bool) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: .scheduled, delay: delay, isCharged: isCharged,
                isDoubtful: turn.job.life.isDoubtful, empties: turn.job.life.empties, isFailure: turn.hasFailed,
                dropsTag: dropsTag, trace: turn.trace))
    }

    private func doubt(
        _ turn: Turn, _ delay: Duration, isCharged: Bool = false, settle: Duration? = nil
    ) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: .inDoubt, delay: delay, isCharged: isCharged,
                isDoubtful: turn.job.life.isDoubtful, empties: turn.job.life.empties, isFailure: turn.hasFailed,
                settle: settle, trace: turn.trace))
    }

    /// Back into doubt as it came.
    private func putBack(_ turn: Turn, _ delay: Duration) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: .inDoubt, delay: delay, isDoubtful: turn.job.life.isDoubtful,
                empties: turn.empties, trace: Trace(errorCode: "waits_for_limit")))
    }

    private func ending(_ turn: Turn, _ how: Ending.How) -> Ending {
        Ending(
            lease: turn.job.lease, user: turn.job.user, generation: turn.job.life.generation, how: how,
            trace: turn.trace)
    }

    private func burial(_ turn: Turn, _ reason: String) -> Burial {
        Burial(
            lease: turn.job.lease, user: turn.job.user, reason: reason, words: turn.words, name: self.name(turn),
            mayExist: turn.job.life.isDoubtful, trace: turn.trace)
    }

    private func name(_ turn: Turn) -> String {
        self.names.name(for: turn.job.user, generation: turn.job.life.generation)
    }

    private func remember(_ ids: [ProviderID], _ turn: Turn) async {
        // A failure here loses nothing: the next look or sweep finds them again.
        let surplus = Surplus(
            ids: ids, user: turn.job.user, generation: turn.job.life.generation, name: self.name(turn),
            tag: turn.job.tag)
        _ = try? await self.pool.withConnection { try await $0.pipeline([surplus.statements]) }
    }

    /// A new epoch and a new lease, written before the create that absence has permitted.
    private func rearm(_ turn: inout Turn) async -> Bool {
        let started = ContinuousClock.now
        let statement = JobQueue.rearm(turn.job.lease, lease: self.lease, settle: self.rules.settle)
        guard let row = try? await self.pool.query(statement).first, let epoch = try? row.decode(Int64.self) else {
            return false
        }
        turn.job.lease = Lease(job: turn.job.lease.job, epoch: epoch, worker: turn.job.lease.worker, state: .armed)
        turn.leaseEnd = started + self.lease
        return true
    }
}

extension Trace {
    init(_ trace: ProviderTrace, code: String? = nil) {
        self.init(httpStatus: trace.httpStatus, requestID: trace.requestID, errorCode: code)
    }
}
