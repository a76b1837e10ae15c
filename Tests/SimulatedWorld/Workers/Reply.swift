// SPDX-License-Identifier: Apache-2.0
// How the simulated provider's answer reaches the run that waits for it, and which event of the job it is.

import Lifecycle
import Model

extension Simulation {
    mutating func reply(_ call: Call, _ answer: Answer) {
        if case .create = call.kind, call.run == 0 {  // a create that lands late
            _ = self.make(call, 0, isSecond: call.isSecond)
            return self.note("a late create lands for user \(call.user) generation \(call.generation)")
        }
        if case .deleteSurplus(let id) = call.kind {
            if case .deleted = answer { self.ledger.surplusDeleted(id, now: self.serverNow) }
            return
        }
        // A stopped worker reads its answers when it goes on; a dead worker never reads them.
        if self.restsUntil(call.slot) > self.now {
            return self.agenda.push(self.restsUntil(call.slot), .reply(call, answer))
        }
        guard self.workers[call.slot].runs[call.run] != nil, let event = self.event(of: answer, to: call) else {
            return
        }
        if case .refused(let wait) = event {
            self.ledger.stoppedUntil = max(self.ledger.stoppedUntil, self.serverNow + wait.wholeMilliseconds)
            self.committed()
        }
        switch event {
        case .rateLimited, .refused, .tagFull, .rejectedUnclear, .rejected, .tenantRejected:
            self.proofs[self.name(call.user, call.generation)]?.isOpen = false
        case .lookFailed, .deleteFailed, .unknown: self.workers[call.slot].runs[call.run]?.hasFailed = true
        default: break
        }
        self.advance(call.slot, call.run, event)
    }

    /// Returns the event that an answer is for its job; nil when the answer has ended the run. Keeps what was shown.
    private mutating func event(of answer: Answer, to call: Call) -> JobEvent? {
        switch (answer, call.kind) {
        case (.event(let made), _): return made
        case (.created(let made), _):
            self.workers[call.slot].runs[call.run]?.shown = [made]
            self.workers[call.slot].runs[call.run]?.hasCreated = true
            return .created(ProviderID(rawValue: "\(made.id)"))
        case (.listed(let found), _):
            self.workers[call.slot].runs[call.run]?.shown = found
            return .looked(found: found.map { ProviderID(rawValue: "\($0.id)") })
        case (.retrieved(let found), _):
            if let run = self.workers[call.slot].runs[call.run], let password = found.password {
                self.finish(call.slot, call.run, .record(run, found.id, password: password))
            }
            return nil
        case (.failed, .retrieve):
            self.lose(call.slot, call.run)
            return nil
        case (.deleted, .delete(let id)): return .deleted(ProviderID(rawValue: "\(id)"))
        case (.failed, .look): return .lookFailed(nil)
        case (.failed, _), (.deleted, _): return .deleteFailed(nil)
        }
    }
}
