// SPDX-License-Identifier: Apache-2.0
// Known and not listed: a list proves presence, not absence, so each is asked for by its id.

import Foundation
import Model
import Postgres
import Telnyx

extension SweptTag {
    /// A list proves presence, not absence: whoever is not on it is asked for by id. Gone is what answers 404 twice, a
    /// landingTime time apart, while another id of this account answers 200.
    func miss(_ listed: [TelephonyCredential], _ known: [ProviderID: Known], _ plan: inout Plan) async throws {
        let present = Set(listed.map(\.id))
        let settled = known.filter { $0.value.isActive && $0.value.isOldEnoughToBeListed }
        plan.expected = settled.count
        plan.seen = settled.count { present.contains($0.key) }
        var isAccountOurs = self.sweep.options.believesAbsence
        for (id, row) in settled where !present.contains(id) {
            let answer = try await self.ask(id)
            if case .gone = answer, !isAccountOurs {
                isAccountOurs = try await self.isAccountOurs(without: id, present, known)
                guard isAccountOurs else {
                    // Of another account there is nothing to learn by asking for the others.
                    plan.unproven = settled.count - plan.seen
                    return
                }
            }
            switch answer {
            case .there:
                plan.found.append(id)
                plan.seen += 1
            // Terminal at the provider: its user needs another.
            case .expired: plan.gone.append((id, row))
            case .gone:
                if row.isLongMissing { plan.gone.append((id, row)) } else { plan.missing.append(id) }
            // No answer is no answer: the next sweep asks again.
            case .unknown: break
            }
        }
    }

    /// An operator's word for what no witness can say any more: what was to be deleted is not there.
    func closings(_ listed: [TelephonyCredential], _ known: [ProviderID: Known]) async throws -> [(
        ProviderID, Known
    )] {
        guard self.sweep.options.believesAbsence else { return [] }
        let present = Set(listed.map(\.id))
        var closed: [(ProviderID, Known)] = []
        for (id, row) in known where row.isClosing && !present.contains(id) {
            if case .gone = try await self.ask(id) { closed.append((id, row)) }
        }
        return closed
    }

    enum Answer { case there, expired, gone, unknown }

    func ask(_ id: ProviderID) async throws -> Answer {
        try await self.sweep.breathe()
        try await self.sweep.extend(self.holder)
        do throws(TelnyxFailure) {
            return try await self.sweep.provider.retrieve(id).expired ? .expired : .there
        } catch {
            return error.isNotFound ? .gone : .unknown
        }
    }

    /// A key of another organisation answers 404 to everything; then nothing is gone. When this tag has no other
    /// credential, some of other tags answer for the account; the missing one never answers for itself.
    private func isAccountOurs(
        without id: ProviderID, _ present: Set<ProviderID>, _ known: [ProviderID: Known]
    ) async throws -> Bool {
        if let other = present.first(where: { known[$0] != nil }), case .there = try await self.ask(other) {
            return true
        }
        let witness = Witness(pool: self.sweep.pool, provider: self.sweep.provider)
        return try await witness.testimony(without: id) { try await self.sweep.extend(self.holder) } == .ours
    }
}
