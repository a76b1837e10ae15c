// SPDX-License-Identifier: Apache-2.0
// The create: the one call to the provider that is not idempotent, and what each of its outcomes means for the job.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telemetry
import Telnyx
import Vault

extension JobRun {
    /// Sends the create when all it needs is in hand: a tag, the sealing key, and two permits. The account's permit was
    /// taken before the claim, the connection's is taken here. It starts only while the lease has room for the whole
    /// deadline: until the lease ends, no other worker may send one for this job.
    func create(_ state: inout RunState) async -> JobEvent {
        state.beginStep()
        guard let tag = state.job.tag, await self.holdsSealer(&state) else { return .notSent }
        if case .wait(let wait) = await self.takePermits(&state) { return await self.refused(for: wait, &state) }
        guard ContinuousClock.now + self.deadline < state.leaseEnd else { return .notSent }
        let ticket: Brake.Ticket
        switch self.provider.limits.brake.take(self.purpose(of: state)) {
        case .success(let own): ticket = own
        case .failure(let held):
            // Nothing is sent, so a proof of absence stands.
            state.trace = Trace(errorCode: "waits_for_provider")
            return .rateLimited(held.wait)
        }
        let request = CreateRequest(
            connectionID: state.job.connectionID, name: self.name(state), tag: tag,
            expiresAt: state.job.expiresAt.map { RFC3339.text($0) })
        let began = ContinuousClock.now
        let outcome = await self.provider.api.create(request)
        self.note(outcome, since: began, &state)
        await self.tellBrake(ticket, outcome, state)
        self.weaken(&state, by: outcome)
        if let news = outcome.news(connection: request.connectionID) { self.throttledLog.log(news) }
        return await self.event(after: outcome, tag: tag, &state)
    }

    private func purpose(of state: RunState) -> CreatePurpose {
        let user = state.job.user
        return CreatePurpose(
            connection: state.job.connectionID, tenant: user.tenant.rawValue, user: user.user.rawValue)
    }

    /// Tells the brake what became of the create. An answer of the provider is known, also a refusal.
    private func tellBrake(_ ticket: Brake.Ticket, _ outcome: CreateOutcome, _ state: RunState) async {
        var isKnown = true
        if case .inDoubt = outcome { isKnown = false }
        switch self.provider.limits.brake.returned(ticket, isKnown: isKnown) {
        case .goesOn: break
        case .stopped:
            self.throttledLog.log(
                "creates get no answer; this node stops them until the provider answers", level: .error)
        case .opens(let scope):
            await self.provider.limits.openBreaker(scope, reason: "no answer to eight creates in a row")
        }
    }

    /// Takes the tenant's key, so that what the provider makes can be sealed.
    private func holdsSealer(_ state: inout RunState) async -> Bool {
        do {
            state.sealer = try await self.vault.sealer(for: state.job.user.tenant.rawValue)
            return true
        } catch {
            state.hasFailed = true
            self.throttledLog.log(
                "the sealing key is not to be had, so nothing is created", ["tenant": "\(state.job.user.tenant)"])
            return false
        }
    }

    /// With a rate, each waiting job has its own turn, so the wait is exact. A breaker ends at the same moment for
    /// every job; `step` spreads those (`.refused`).
    private func refused(for wait: Duration, _ state: inout RunState) async -> JobEvent {
        state.trace = Trace(errorCode: "waits_for_limit")
        if await self.provider.limits.hasRate(state.job.connectionID) { return .rateLimited(wait) }
        state.hasFailed = true
        return .refused(wait)
    }

    /// Writes down what the outcome says of the call. A create that was not sent is no call, and alone leaves its permits
    /// unused.
    private func note(_ outcome: CreateOutcome, since began: ContinuousClock.Instant, _ state: inout RunState) {
        if case .notSent = outcome {
        } else {
            (state.accountShare, state.holdsConnectionPermit) = (nil, false)
            state.noteCall(since: began)
        }
        switch outcome {
        case .created(let credential, let trace):
            state.trace = Trace(trace)
            state.found = credential
        case .notSent:
            state.trace = Trace(errorCode: "not_sent")
            state.hasFailed = true
        case .rateLimited(_, let trace):
            state.trace = Trace(trace)
        case .unauthorised(_, let trace):
            state.trace = Trace(trace)
            state.hasFailed = true
        case .rejected(_, let words, let trace):
            state.trace = Trace(trace, code: words.code)
            state.words = words
        case .inDoubt(let reason, let trace):
            state.trace = Trace(trace, code: "unknown: \(reason)")
            self.metrics.doubts.add(DoubtCause(reason))
            state.hasFailed = true
        }
    }

    /// Passes on to all nodes what the outcome means for them, and returns what it means for this job. A lost answer is
    /// the outcome `inDoubt` and the event `unknown`; the effect is `doubt`.
    private func event(after outcome: CreateOutcome, tag: String, _ state: inout RunState) async -> JobEvent {
        let connection = state.job.connectionID
        switch outcome {
        case .created(let credential, _):
            await self.provider.limits.succeeded(
                connection: connection, tenant: state.job.user.tenant.rawValue)
            return .created(credential.id)
        case .notSent: return .notSent
        case .rateLimited(let wait, _):
            await self.provider.limits.pause(.creates, for: wait)
            return .rateLimited(wait)
        case .unauthorised(let whose, let trace):
            let scope: LimitScope = whose == .account ? .account : .connection(connection)
            let reason = "HTTP \(trace.httpStatus ?? 0)"
            return .refused(await self.provider.limits.openBreaker(scope, reason: reason))
        case .rejected(let status, let words, _):
            return await self.rejected(tag: tag, code: words.code ?? "HTTP \(status)", words, &state)
        case .inDoubt: return .unknown
        }
    }
}

extension DoubtCause {
    /// From the reason of `CreateOutcome.inDoubt`, which may be the HTTP client's own words.
    fileprivate init(_ reason: String) {
        switch reason {
        case "status": self = .status
        case "unreadable", "answer too long": self = .unreadable
        default:
            let words = reason.lowercased()
            self = words.contains("timeout") || words.contains("deadline") ? .timeout : .reset
        }
    }
}
