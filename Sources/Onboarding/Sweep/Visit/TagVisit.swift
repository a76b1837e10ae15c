// SPDX-License-Identifier: Apache-2.0
// One visit of one tag: count it or list it, compare it with the ledger, repair what differs.

import Foundation
import Lifecycle
import Model
import Postgres
import Telnyx

/// A visit of one shard of one tenant. It counts first, and lists only for a reason.
struct TagVisit {
    let sweep: Sweep
    let tag: DueTag
    /// Whether an operator has asked for it. Then it lists, whatever a count would say, and has calls without limit.
    let isAsked: Bool

    /// What a visit leaves to its caller.
    struct Result {
        var outcome: VisitOutcome
        /// Whether there is a further shard, which the ledger did not have.
        var hasNextShard = false
        /// Credentials under our names whose owner nothing in the tag tells.
        var strays: [Stray] = []
        /// Second credentials that this visit was the first to remember.
        var remembered = 0
        /// What this visit has found to be surplus, by its id.
        var surplus: [ProviderID] = []
        /// Credentials that are not there, which are asked for once more.
        var missing: [MissingCredential] = []
    }

    /// Visits the tag, and enters what it sees in the report. Nothing about the next visit is written here.
    ///
    /// Cancelled here: every correction stands by itself, and another visit does the rest.
    func run(_ report: inout SweepReport) async throws -> Result {
        report.tags += 1
        var calls = VisitCalls(isAsked: self.isAsked)
        do {
            return try await self.visit(&calls, &report)
        } catch let failure as TelnyxFailure where !failure.isHeldBack {
            report.failure = "\(failure)"
        } catch is TelnyxFailure {
            return Self.heldBack(&report)
        } catch VisitStop.heldBack {
            return Self.heldBack(&report)
        } catch VisitStop.outOfCalls {
            report.failure = "a visit ran out of calls"
        }
        report.failedLists += 1
        return Result(outcome: .failed)
    }

    /// The tag is visited again in a minute, and the visit does not count as failed.
    private static func heldBack(_ report: inout SweepReport) -> Result {
        report.failedLists += 1
        report.failure = "calls are held back: see dialtone limit list"
        return Result(outcome: .heldBack)
    }

    private func visit(_ calls: inout VisitCalls, _ report: inout SweepReport) async throws -> Result {
        if self.isAsked || self.tag.isWanted || !self.tag.isSeen { return try await self.compare(&calls, &report) }
        let before = try await self.state()
        guard before.isQuiet else {
            let isLate = self.tag.busyFor.map { $0 >= NextVisit.longestBusy(self.tag.period) } ?? false
            guard isLate else { return Result(outcome: .notQuiet) }
            return try await self.compare(&calls, &report)
        }
        if !self.tag.isListDue, self.tag.miscounts < NextVisit.toleratedMiscounts {
            switch try await self.count(before, &calls) {
            case .agrees: return Result(outcome: .agreed)
            case .notQuiet: return Result(outcome: .notQuiet)
            case .differs: break
            }
        }
        return try await self.compare(&calls, &report)
    }

    // MARK: List and compare

    /// The list comes first and the ledger is read after it, so that what is on its way has a row.
    private func compare(_ calls: inout VisitCalls, _ report: inout SweepReport) async throws -> Result {
        let list = try await self.list(&calls)
        let ledger = try await TagLedger.read(self.tag, on: self.sweep)
        report.listed += list.credentials.count
        var plan = TagPlan()
        plan.isInexact = list.isCut || list.credentials.count > 1000
        try await self.explain(list.credentials, ledger, &plan, &calls, &report)
        if list.isWhole { try await self.miss(list.credentials, ledger, &plan, &calls) }
        plan.closed = try await self.closings(list.credentials, ledger, &calls)
        var result = Result(outcome: .failed)
        let permitted = self.judge(plan, listed: list.credentials.count, &report)
        if !self.sweep.options.isDryRun { result.remembered = try await self.carryOut(permitted) }
        (result.missing, result.surplus) = (permitted.missing, permitted.deletes)
        result.strays = plan.strays.map {
            // What an inexact filter shows may be anybody's.
            Stray(id: $0.id, name: $0.name ?? "", tag: plan.isInexact ? nil : self.tag.tag)
        }
        // What it has shown is there all the same.
        guard list.isWhole && !plan.isListFailed else {
            report.failedLists += 1
            report.failure = list.isWhole ? "a list left out what is there" : "a list was not whole"
            return result
        }
        guard try await self.isAccountOurs(list, ledger, plan, &calls) else {
            result.outcome = .unproven
            return result
        }
        if !plan.isUnfinished {
            result.hasNextShard = try await self.findNextShard(before: list.ids, &calls, &report)
        }
        result.outcome = .listed(try await self.listed(list, ledger, plan, permitted))
        return result
    }

    /// What the whole list says of the tag itself. The total explains nothing while something is on its way.
    private func listed(
        _ list: TagList, _ ledger: TagLedger, _ plan: TagPlan, _ permitted: TagPlan
    ) async throws -> ListedTag {
        var tag = ListedTag()
        tag.held = list.credentials.count - plan.othersTenants
        tag.isInexact = plan.isInexact
        tag.hasNewStrays = plan.strays.contains { ledger.oldStrays[$0.id] != true }
        // A word may have come between the plan and what was done about a generation. The next list tells.
        tag.isUnfinished = plan.isUnfinished || !permitted.ahead.isEmpty || !permitted.overtaken.isEmpty
        tag.wouldChange = permitted.isHarmless ? max(plan.takenAway, plan.leftOut) : nil
        guard !plan.isInexact else {
            tag.miscounts = self.tag.miscounts + 1
            return tag
        }
        let state = try await self.state()
        guard state.isQuiet else {
            tag.miscounts = self.tag.miscounts
            return tag
        }
        // What is missing is no difference that may be forgotten: a count must go on finding it.
        let absent = plan.missing.count + plan.unanswered
        let others = list.total.map { $0 + absent - state.expected }
        tag.others = others
        tag.miscounts = list.isComplete || others == self.tag.others ? 0 : self.tag.miscounts + 1
        return tag
    }

    // MARK: Judge

    /// Enters the plan in the report and returns what may be done of it. More than five changes that take something
    /// away, and more than 1 % of the tag, need an operator's confirmation.
    private func judge(_ plan: TagPlan, listed: Int, _ report: inout SweepReport) -> TagPlan {
        report.evidence += plan.evidence.count + plan.orphans.count + plan.ahead.count
        report.unproven += plan.unproven
        report.expected += plan.expected
        report.seen += plan.seen
        let isTooMuch = plan.takenAway > Self.tolerated(of: listed) || plan.leftOut > 0
        guard !isTooMuch || self.sweep.options.isConfirmed else {
            report.stopped.append(self.tag.tag)
            report.missing += plan.missing.count
            report.reprovisioned += plan.expired.count
            return plan.harmless
        }
        report.surplus += plan.surplus.count + plan.proven.count + plan.overtaken.count
        report.reopened += plan.reopened.count + plan.reopenedSurplus.count
        report.missing += plan.missing.count
        report.reprovisioned += plan.expired.count
        return plan
    }

    /// How many of a tag's credentials a visit may take away, or ask for by id, without an operator's word.
    static func tolerated(of number: Int) -> Int { max(5, number / 100) }
}
