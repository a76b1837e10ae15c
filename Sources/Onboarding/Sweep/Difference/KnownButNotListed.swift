// SPDX-License-Identifier: Apache-2.0
// Known and not listed: a list proves presence and not absence, so a visit asks for each such credential by its id.

import Foundation
import Model
import Postgres
import Telnyx

extension TagVisit {
    /// Asks for each active credential that is not on the whole list, and enters in the plan what became of it.
    ///
    /// One that answers 404 while another id of this account answers 200 is missing. `MissingCredentials` asks for it
    /// once more, so a worker's visit asks for none that is missing already. When more are left out than may be asked
    /// for, three are asked: one that is there makes the list a failed one, and if none is there an operator decides.
    func miss(
        _ listed: [TelephonyCredential], _ ledger: TagLedger, _ plan: inout TagPlan, _ calls: inout VisitCalls
    ) async throws {
        let present = Set(listed.map(\.id))
        let settled = ledger.known.filter { $0.value.isActive && $0.value.isOldEnoughToBeListed }
        let absent = settled.filter { !present.contains($0.key) }
        plan.expected = settled.count
        plan.seen = settled.count - absent.count
        let isTooMuch = absent.count > Self.tolerated(of: ledger.known.count) && !self.sweep.options.isConfirmed
        do {
            if isTooMuch {
                try await self.askForThree(of: absent, present, ledger, &plan, &calls)
            } else {
                try await self.askForEach(of: absent, present, ledger, &plan, &calls)
            }
            try await self.missStrays(present, ledger, &plan, &calls)
        } catch VisitStop.outOfCalls {
            plan.isUnfinished = true
        }
    }

    private func askForEach(
        of absent: [ProviderID: LedgerCredential], _ present: Set<ProviderID>, _ ledger: TagLedger,
        _ plan: inout TagPlan, _ calls: inout VisitCalls
    ) async throws {
        var isAccountOurs = self.sweep.options.believesAbsence
        for (id, row) in absent {
            if row.isMissing && !self.isAsked {
                plan.missing.append(MissingCredential(id: id, user: row.user))
                continue
            }
            let presence = try await self.ask(id, &calls)
            if case .gone = presence, !isAccountOurs {
                isAccountOurs = try await self.isAccountOurs(without: id, present, ledger, &calls)
                guard isAccountOurs else {
                    // The other credentials would answer 404 too, and prove as little.
                    plan.unproven = absent.count
                    return
                }
            }
            switch presence {
            case .there:
                plan.seen += 1
                if row.isMissing { plan.found.append(id) }
            // Expiry is final at the provider, so the user needs another credential.
            case .expired: plan.expired.append((id, row))
            case .gone: plan.missing.append(MissingCredential(id: id, user: row.user))
            // A failed call proves nothing; the next visit asks again.
            case .unknown: plan.unanswered += 1
            }
        }
    }

    private func askForThree(
        of absent: [ProviderID: LedgerCredential], _ present: Set<ProviderID>, _ ledger: TagLedger,
        _ plan: inout TagPlan, _ calls: inout VisitCalls
    ) async throws {
        for id in absent.keys.shuffled().prefix(3) {
            switch try await self.ask(id, &calls) {
            case .gone: break
            case .there, .expired, .unknown:
                plan.isListFailed = true
                return
            }
        }
        guard let one = absent.keys.first else { return }
        if try await self.isAccountOurs(without: one, present, ledger, &calls) {
            plan.leftOut = absent.count
        } else {
            plan.unproven = absent.count
        }
    }

    /// A stray that somebody has deleted at the provider is forgotten.
    private func missStrays(
        _ present: Set<ProviderID>, _ ledger: TagLedger, _ plan: inout TagPlan, _ calls: inout VisitCalls
    ) async throws {
        for (id, isOld) in ledger.oldStrays where isOld && !present.contains(id) {
            guard case .gone = try await self.ask(id, &calls) else { continue }
            guard try await self.isAccountOurs(without: id, present, ledger, &calls) else { return }
            plan.vanishedStrays.append(id)
        }
    }

    /// Returns the credentials to delete that are not there, when an operator says that absence is to be believed.
    func closings(
        _ listed: [TelephonyCredential], _ ledger: TagLedger, _ calls: inout VisitCalls
    ) async throws -> [(ProviderID, LedgerCredential)] {
        guard self.sweep.options.believesAbsence else { return [] }
        let present = Set(listed.map(\.id))
        var closed: [(ProviderID, LedgerCredential)] = []
        for (id, row) in ledger.known where row.isClosing && !present.contains(id) {
            if case .gone = try await self.ask(id, &calls) { closed.append((id, row)) }
        }
        return closed
    }

    /// The provider's answer about one id.
    enum CredentialPresence { case there, expired, gone, unknown }

    func ask(_ id: ProviderID, _ calls: inout VisitCalls) async throws -> CredentialPresence {
        try await self.sweep.prepareCall(&calls)
        do throws(TelnyxFailure) {
            return try await self.sweep.provider.retrieve(id).expired ? .expired : .there
        } catch {
            return error.isNotFound ? .gone : .unknown
        }
    }

    // MARK: The account

    /// A key of another organisation answers 404 to everything; then nothing is gone.
    ///
    /// Returns whether another credential answers: one of this tag, or, when the tag has no other, one of another tag.
    /// The missing credential never answers for itself.
    private func isAccountOurs(
        without id: ProviderID, _ present: Set<ProviderID>, _ ledger: TagLedger, _ calls: inout VisitCalls
    ) async throws -> Bool {
        if let other = present.first(where: { ledger.known[$0] != nil }),
            case .there = try await self.ask(other, &calls)
        {
            return true
        }
        return try await self.testimony(without: id, &calls) == .ours
    }

    /// A key of another organisation sees empty tags, and an empty list must not count as seen.
    ///
    /// Returns true when the list shows something of the ledger's, when another credential answers by id, or when the
    /// ledger has none.
    func isAccountOurs(
        _ list: TagList, _ ledger: TagLedger, _ plan: TagPlan, _ calls: inout VisitCalls
    ) async throws -> Bool {
        if plan.unproven > 0 { return false }
        if plan.seen > 0 || self.sweep.options.believesAbsence { return true }
        if list.credentials.contains(where: { ledger.known[$0.id] != nil || ledger.surplus.contains($0.id) }) {
            return true
        }
        return try await self.testimony(without: nil, &calls) != .unproven
    }

    private func testimony(without id: ProviderID?, _ calls: inout VisitCalls) async throws -> Witness.Testimony {
        let witness = Witness(pool: self.sweep.pool, provider: self.sweep.provider)
        return try await witness.testimony(without: id) { try await self.sweep.prepareCall(&calls) }
    }
}
