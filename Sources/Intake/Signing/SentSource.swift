// SPDX-License-Identifier: Apache-2.0
// What a sender's side knows of a source: its preset, its proofs and its answers. The tenants are the service's alone.

package import Model

package struct SentSource: Sendable {
    /// Nil for a source whose configuration says everything.
    package let preset: String?
    package let proofs: ProofConfiguration
    private let answers: SenderAnswers

    /// `configuration` is the source's own, over its preset. Without both the sender is the customer's own back end.
    package init(preset: String?, configuration: [UInt8]?) throws(InvalidValue) {
        let own: SourceConfiguration
        if let configuration {
            if let preset {
                own = try SourceConfiguration(configuration, preset: preset)
            } else {
                own = try SourceConfiguration(configuration)
            }
        } else {
            own = try SourceConfiguration(nil, preset: preset ?? SourceTerms.canonical)
        }
        guard let proofs = own.section["proofs"] else { throw InvalidValue("/proofs", "is needed") }
        self.preset = own.preset
        self.proofs = try SourceTerms.proofs(proofs)
        self.answers = try ReadAnswers.answers(own.section)
    }

    /// Returns what an answer says has become of an event. Nil: it does not say, or says the same of several outcomes.
    ///
    /// Most answers name it. Some senders get an answer of their own, which says no more than the source's
    /// configuration lets it mean.
    package func outcome(status: Int, body: String) -> EventOutcome? {
        let named = (try? JSONValue(parsing: Array(body.utf8)))?["status"]?.string
        if let outcome = named.flatMap(EventOutcome.init(rawValue:)) { return outcome }
        let meant = SenderAnswers.Outcome.allCases.filter { outcome in
            let answer = self.answers[outcome]
            return answer.status == status && (answer.body ?? "") == body
        }
        guard meant.count == 1, let outcome = meant.first else { return nil }
        return switch outcome {
        case .accepted: .accepted
        case .known: nil
        case .ignored: .ignored
        case .quarantined: .quarantined
        }
    }
}
