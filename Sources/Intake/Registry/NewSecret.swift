// SPDX-License-Identifier: Apache-2.0
// A secret on its way into a source: made here and shown once, or made by the sender and brought in.

import Foundation
import Model
import Postgres
import Vault

struct NewSecret: Sendable {
    private let text: Secret<String>
    private let isSenders: Bool
    let warning: SecretText.Warning?

    /// `given` is a secret that the sender has made, as a file holds it. Nil where none was given and the proofs need
    /// none.
    init?(_ given: [UInt8]?, for proofs: ProofConfiguration) throws(InvalidValue) {
        if let given {
            let read = try SecretText(given, for: proofs)
            (self.text, self.isSenders, self.warning) = (read.text, true, read.warning)
        } else {
            guard proofs.needsSecret else { return nil }
            (self.text, self.isSenders, self.warning) = (Self.make(), false, nil)
        }
    }

    /// What an operator is shown. Nil for a secret that the sender has made.
    var shown: Secret<String>? { self.isSenders ? nil : self.text }

    /// The secret as the source's proofs get it.
    var forProofs: ProofSecret { ProofSecret(id: UUID(), text: self.text) }

    /// A row of `source_secrets`.
    struct Sealed: Sendable {
        let insert: SQL
    }

    func sealed(by vault: Vault, of source: SourceID, _ scope: String) async throws -> Sealed {
        let id = UUID()
        let sealed = try await vault.seal(self.text, SecretPlace.binding(id, of: source, scope))
        let madeBy = self.isSenders ? "sender" : "dialtone"
        return Sealed(
            insert: """
                insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed, made_by, created_at)
                values (\(id), \(source), \(scope), \(Bytes(sealed)), \(madeBy), clock_timestamp())
                """)
    }

    /// Returns a new secret in the form of Standard Webhooks: `whsec_` and base64 of 32 random bytes.
    private static func make() -> Secret<String> { Secret("whsec_\(Data(Self.bytes(32)).base64EncodedString())") }

    /// Returns bytes of the system's generator (getrandom(2)).
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
