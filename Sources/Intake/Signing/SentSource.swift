// SPDX-License-Identifier: Apache-2.0
// What a sender's side knows of a source: its preset and its proofs. The tenants are the service's alone.

package import Model

package struct SentSource: Sendable {
    /// Nil for a source whose configuration says everything.
    package let preset: String?
    package let proofs: ProofConfiguration

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
    }
}
