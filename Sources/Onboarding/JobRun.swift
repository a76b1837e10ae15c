// SPDX-License-Identifier: Apache-2.0
// One job, from claim to result: ask the state machine, do the one thing it says, tell it what happened, until it is put down.

import Foundation
import Lifecycle
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

    package var lease: Lease {
        switch self {
        case .owned(let evidence): evidence.lease
        case .moved(let transition): transition.lease
        case .ended(let ending): ending.lease
        case .buried(let burial): burial.lease
        }
    }
}

/// Runs one job against the provider. Holds no lock and writes nothing but surplus and a new lease.
struct JobRun: Sendable {
    let api: any TelephonyCredentialsAPI
    let pool: PostgresPool
    let vault: Vault
    let limits: ProviderLimits
    let names: CredentialName
    let rules: LifeRules
    let terms: ClaimTerms
    /// How long one call to the provider may take.
    let deadline: Duration
    let now: @Sendable () -> Date
    let random: @Sendable () -> Double

    /// Runs `job` to its result. `leaseEnd` is by the local clock, counted from before the claim was sent.
    ///
    /// Cancelled here: a call under way ends as in doubt, and that is the result.
    func run(_ job: ClaimedJob, leaseEnd: ContinuousClock.Instant) async -> JobResult {
        var turn = Turn(job: job, leaseEnd: leaseEnd)
        var (life, effects) = job.life.step(.claimed, rules: self.rules, now: self.now(), jitter: self.random())
        while true {
            turn.job.life = life
            switch await self.perform(effects, &turn) {
            case .result(let result): return result
            case .event(let event):
                (life, effects) = life.step(event, rules: self.rules, now: self.now(), jitter: self.random())
            }
        }
    }

    /// What the run knows beside the life of the job.
    private struct Turn {
        var job: ClaimedJob
        var leaseEnd: ContinuousClock.Instant
        var found: TelephonyCredential?
        var trace = Trace()
        var words: String?
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
                guard await self.rearm(&turn) else { return .result(self.moved(turn, .inDoubt, .seconds(1))) }
            case .create: return .event(await self.create(&turn))
            case .look: return .event(await self.look(&turn))
            case .delete(let id): return .event(await self.delete(id, &turn))
            case .own(let id): return .result(await self.own(id, turn))
            case .close: return .result(.ended(self.ending(turn, isClosed: true)))
            case .end: return .result(.ended(self.ending(turn, isClosed: false)))
            case .schedule(let state, let delay, let isCharged, let dropsTag):
                return .result(self.moved(turn, state, delay, isCharged: isCharged, dropsTag: dropsTag))
            case .doubt(let delay, let settle):
                return .result(self.moved(turn, .inDoubt, delay, settle: settle))
            case .bury(let reason): return .result(.buried(self.burial(turn, reason)))
            }
        }
        return .result(self.moved(turn, .inDoubt, .seconds(1)))
    }

    // MARK: Calls

    /// The one call that is not idempotent. It starts only while the lease has room for the whole deadline.
    private func create(_ turn: inout Turn) async -> JobEvent {
        // One tenant's connection may be stopped while the account goes on. The answer is a few hundred ms old at most.
        if let gate = try? await self.limits.gate(), gate.stoppedConnections.contains(turn.job.connectionID) {
            return .refused
        }
        guard ContinuousClock.now + self.deadline < turn.leaseEnd, let tag = turn.job.tag else { return .notSent }
        let request = CreateRequest(
            connectionID: turn.job.connectionID, name: self.name(turn), tag: tag, expiresAt: nil)
        switch await self.api.create(request) {
        case .created(let credential, let trace):
            turn.trace = Trace(trace)
            turn.found = credential
            await self.limits.succeeded(connection: turn.job.connectionID)
            return .created(credential.id)
        case .notSent:
            return .notSent
        case .rateLimited(let wait, let trace):
            turn.trace = Trace(trace)
            await self.limits.pause(.account, for: wait)
            return .rateLimited(wait)
        case .unauthorised(let scope, let trace):
            turn.trace = Trace(trace)
            await self.limits.stop(
                scope == .account ? .account : .connection(turn.job.connectionID),
                reason: "HTTP \(trace.httpStatus ?? 0)")
            return .refused
        case .rejected(_, let words, let trace):
            turn.trace = Trace(trace, code: words.code)
            turn.words = words.text
            return await self.rejection(tag, turn)
        case .inDoubt(_, let trace):
            turn.trace = Trace(trace)
            return .unknown
        }
    }

    /// A refusal may mean that the tag is full, in words nobody has published: so look at how many it holds.
    private func rejection(_ tag: String, _ turn: Turn) async -> JobEvent {
        guard let total = try? await self.api.list(ListQuery(tag: tag, pageSize: 1), page: 1).totalResults else {
            return .rejected
        }
        guard total >= self.terms.tagCapacity else { return .rejected }
        _ = try? await self.pool.query(
            TagShards.close(tag, of: turn.job.user.tenant, capacity: self.terms.tagCapacity))
        return .tagFull
    }

    /// All pages by name, compared here: whether the provider's filter is exact is not documented.
    private func look(_ turn: inout Turn) async -> JobEvent {
        let name = self.name(turn)
        do {
            let listed = try await self.api.listAll(ListQuery(name: name, pageSize: 250))
            let alive = listed.filter { $0.name == name && !$0.expired }
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
            return .lookFailed(failure.retryAfter)
        } catch {
            return .lookFailed(nil)
        }
    }

    private func delete(_ id: ProviderID, _ turn: inout Turn) async -> JobEvent {
        do {
            turn.trace = Trace(try await self.api.delete(id))
            return .deleted
        } catch {
            turn.trace = Trace(error.trace)
            if error.isNotFound { return .deleted }
            return error.isRefused ? .refused : .deleteFailed(error.retryAfter)
        }
    }

    // MARK: Results

    /// Seals what the provider gave. Whatever fails here leaves a credential behind that must be found again: in doubt.
    private func own(_ id: ProviderID, _ turn: Turn) async -> JobResult {
        do {
            var credential = turn.found
            if credential?.id != id || credential?.sipPassword == nil {
                credential = try await self.api.retrieve(id)
            }
            guard let credential, let password = credential.sipPassword else {
                return self.moved(turn, .inDoubt, .seconds(1))
            }
            let (user, generation) = (turn.job.user, turn.job.life.generation)
            let sealer = try await self.vault.sealer(for: user.tenant.rawValue)
            return .owned(
                Evidence(
                    lease: turn.job.lease, user: turn.job.user, generation: turn.job.life.generation, providerID: id,
                    name: self.name(turn), tag: turn.job.tag ?? "",
                    sealedUsername: try sealer.seal(
                        credential.sipUsername, .credential("sealed_username", of: user, generation: generation, id)),
                    sealedPassword: try sealer.seal(
                        password.reveal(), .credential("sealed_password", of: user, generation: generation, id)),
                    usernameIndex: sealer.blindIndex(credential.sipUsername, column: "sip_username"),
                    expiresAt: credential.expiresAt, trace: turn.trace))
        } catch {
            return self.moved(turn, .inDoubt, .seconds(1), settle: self.rules.settle)
        }
    }

    private func moved(
        _ turn: Turn, _ state: JobState, _ delay: Duration, isCharged: Bool = false, settle: Duration? = nil,
        dropsTag: Bool = false
    ) -> JobResult {
        .moved(
            Transition(
                lease: turn.job.lease, to: state, delay: delay, isCharged: isCharged, empties: turn.job.life.empties,
                settle: settle, dropsTag: dropsTag, trace: turn.trace))
    }

    private func ending(_ turn: Turn, isClosed: Bool) -> Ending {
        Ending(
            lease: turn.job.lease, user: turn.job.user, generation: turn.job.life.generation, isClosed: isClosed,
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
        _ = try? await self.pool.query(
            Surplus.remember(ids, of: turn.job.user, generation: turn.job.life.generation, name: self.name(turn)))
    }

    /// A new epoch and a new lease, written before the create that absence has permitted.
    private func rearm(_ turn: inout Turn) async -> Bool {
        let started = ContinuousClock.now
        let statement = JobQueue.rearm(turn.job.lease, lease: self.terms.lease, settle: self.rules.settle)
        guard let row = try? await self.pool.query(statement).first, let epoch = try? row.decode(Int64.self) else {
            return false
        }
        turn.job.lease = Lease(job: turn.job.lease.job, epoch: epoch, worker: turn.job.lease.worker, state: .armed)
        turn.leaseEnd = started + self.terms.lease
        return true
    }
}

extension Trace {
    init(_ trace: ProviderTrace, code: String? = nil) {
        self.init(httpStatus: trace.httpStatus, requestID: trace.requestID, errorCode: code)
    }
}
