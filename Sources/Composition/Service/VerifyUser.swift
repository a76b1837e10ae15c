// SPDX-License-Identifier: Apache-2.0
// Puts the ledger's proof and the provider's answers together.

import Directory
import Foundation
import Model
import Onboarding

struct VerifyUser: Sendable {
    let proofs: Proofs
    let provider: ProviderQuestion

    /// Returns the proof with the provider's word; nil when there is no such user. Nothing is changed anywhere. The ledger
    /// is read before and after the calls.
    ///
    /// Cancelled here: a call that is under way is given up.
    func callAsFunction(_ user: UserKey, as reader: Reader) async throws -> Proof? {
        guard let before = try await self.proofs.ledger(user, as: reader) else { return nil }
        let answer = await self.provider.ask(
            user, generation: before.ledger?.generation ?? before.generation,
            id: before.ledger.map { ProviderID(rawValue: $0.credentialID) })
        let asked = Self.asked(answer)
        // The user may have changed while the provider was asked. Its answers then prove nothing.
        guard let after = try await self.proofs.ledger(user, as: reader) else { return nil }
        var proof = after
        proof.verdict = before.agrees(with: after) ? after.verdict(with: asked) : .unknown
        proof.provider = asked
        return proof
    }

    private static func asked(_ answer: ProviderQuestion.Answer) -> Proof.Asked {
        let (status, isExpired, hasName): (Int?, Bool?, Bool?) =
            switch answer.byID {
            case .found(let expired, let named): (200, expired, named)
            case .notFound: (404, nil, nil)
            case nil: (nil, nil, nil)
            }
        return Proof.Asked(
            byID: status, isExpired: isExpired, hasName: hasName, byName: answer.byName?.map(\.id.rawValue),
            expiredByName: answer.byName?.filter(\.isExpired).map(\.id.rawValue), calls: answer.calls,
            milliseconds: Int(answer.time / .milliseconds(1)))
    }
}
