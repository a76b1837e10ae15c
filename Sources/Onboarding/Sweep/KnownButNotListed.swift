// SPDX-License-Identifier: Apache-2.0
// Known and not listed: a list proves presence and not absence, so the sweep asks for each such credential by its id.

import Foundation
import Model
import Postgres
import Telnyx

extension SweptTag {
    /// Asks for each active credential that is not on the list, and enters in the plan what became of it.
    ///
    /// A credential is gone when it answers 404 twice, one landing time apart, while another id of this account answers
    /// 200.
    func miss(
        _ listed: [TelephonyCredential], _ known: [ProviderID: LedgerCredential], _ plan: inout TagPlan
    ) async throws {
        let present = Set(listed.map(\.id))
        let settled = known.filter { $0.value.isActive && $0.value.isOldEnoughToBeListed }
        plan.expected = settled.count
        plan.seen = settled.count { present.contains($0.key) }
        var isAccountOurs = self.sweep.options.believesAbsence
        for (id, row) in settled where !present.contains(id) {
            let presence = try await self.ask(id)
            if case .gone = presence, !isAccountOurs {
                isAccountOurs = try await self.isAccountOurs(without: id, present, known)
                guard isAccountOurs else {
                    // The other credentials would answer 404 too, and prove as little.
                    plan.unproven = settled.count - plan.seen
                    return
                }
            }
            switch presence {
            case .there:
                plan.found.append(id)
                plan.seen += 1
            // Expiry is final at the provider, so the user needs another credential.
            case .expired: plan.gone.append((id, row))
            case .gone:
                if row.isLongMissing { plan.gone.append((id, row)) } else { plan.missing.append(id) }
            // A failed call proves nothing; the next sweep asks again.
            case .unknown: break
            }
        }
    }

    /// Returns the credentials to delete that are not there, when an operator says that absence is to be believed.
    func closings(
        _ listed: [TelephonyCredential], _ known: [ProviderID: LedgerCredential]
    ) async throws -> [(ProviderID, LedgerCredential)] {
        guard self.sweep.options.believesAbsence else { return [] }
        let present = Set(listed.map(\.id))
        var closed: [(ProviderID, LedgerCredential)] = []
        for (id, row) in known where row.isClosing && !present.contains(id) {
            if case .gone = try await self.ask(id) { closed.append((id, row)) }
        }
        return closed
    }

    /// The provider's answer about one id.
    enum CredentialPresence { case there, expired, gone, unknown }

    func ask(_ id: ProviderID) async throws -> CredentialPresence {
        try await self.sweep.breathe()
        try await self.sweep.extend(self.holder)
        do throws(TelnyxFailure) {
            return try await self.sweep.provider.retrieve(id).expired ? .expired : .there
        } catch {
            return error.isNotFound ? .gone : .unknown
        }
    }

    /// A key of another organisation answers 404 to everything; then nothing is gone.
    ///
    /// Returns whether another credential answers: one of this tag, or, when the tag has no other, one of another tag.
    /// The missing credential never answers for itself.
    private func isAccountOurs(
        without id: ProviderID, _ present: Set<ProviderID>, _ known: [ProviderID: LedgerCredential]
    ) async throws -> Bool {
        if let other = present.first(where: { known[$0] != nil }), case .there = try await self.ask(other) {
            return true
        }
        let witness = Witness(pool: self.sweep.pool, provider: self.sweep.provider)
        return try await witness.testimony(without: id) { try await self.sweep.extend(self.holder) } == .ours
    }
}
