// SPDX-License-Identifier: Apache-2.0
// Puts the ledger's proof and the provider's answers together.

import Directory
import Foundation
import Model
import Onboarding

struct VerifyUser: Sendable {
    let proofs: Proofs
    let provider: ProviderQuestion

    /// Returns the proof with the provider's word; nil when there is no such user. Nothing is changed anywhere.
    ///
    /// Cancelled here: a call that is under way is given up.
    func callAsFunction(_ user: UserKey, as reader: Reader) async throws -> Proof? {
        guard var proof = try await self.proofs.ledger(user, as: reader) else { return nil }
        let answer = await self.provider.ask(
            user, generation: proof.ledger?.generation ?? proof.generation,
            id: proof.ledger.map { ProviderID(rawValue: $0.credentialID) })
        let asked = Proof.Asked(
            byID: answer.byID, byName: answer.byName?.map(\.rawValue), calls: answer.calls,
            milliseconds: Int(answer.time / .milliseconds(1)))
        proof.verdict = proof.verdict(with: asked)
        proof.provider = asked
        return proof
    }
}
