// SPDX-License-Identifier: Apache-2.0
// Refuses a change of secrets or of proofs that would leave a source which cannot be read.

import Foundation
import Model
import Postgres
import Vault

extension SourceRegistry {
    /// Builds the proofs of a source as its deliveries will meet them: with the new secret and the older ones that count
    /// on during `overlap`, and with the new one alone when they have ended. Throws `InvalidValue` with what is wrong.
    func requireProofs(
        _ terms: SourceTerms, of source: SourceID, _ scope: String, with secret: NewSecret, overlap: Duration
    ) async throws {
        let count = ProofSecret.maximumCount - 1
        let older = overlap > .zero ? try await self.secretsInForce(of: source, scope, count) : []
        let new = secret.forProofs
        try terms.requireUse(of: [new] + older)
        if !older.isEmpty { try terms.requireUse(of: [new]) }
    }

    /// Returns the newest secrets in force. One that does not open is passed over, as it is when a delivery comes.
    /// Index source_secrets_source.
    func secretsInForce(
        of source: SourceID, _ scope: String, _ count: Int = ProofSecret.maximumCount
    ) async throws -> [ProofSecret] {
        let rows = try await self.pool.query(
            """
            select secret_id, sealed, expires_at from dialtone.source_secrets
            where source_id = \(source) and tenant_id = \(scope)
              and (expires_at is null or expires_at > clock_timestamp())
            order by created_at desc limit \(Int64(count))
            """)
        var secrets: [ProofSecret] = []
        for row in rows {
            let (id, sealed, end) = try row.decode(UUID.self, Bytes.self, Date?.self)
            do {
                let text = try await self.vault.open(sealed.value, SecretPlace.binding(id, of: source, scope))
                secrets.append(ProofSecret(id: id, text: text, notAfter: end))
            } catch is CannotOpen {
                continue
            }
        }
        return secrets
    }
}

extension SourceTerms {
    /// Builds the proofs as the next delivery will meet them. Throws `InvalidValue` with what is wrong.
    func requireUse(of secrets: [ProofSecret]) throws(InvalidValue) {
        switch self.form {
        case .canonical:
            for secret in secrets { _ = try StandardWebhooksSecret.keys(in: secret.text.reveal()) }
        case .mapped:
            _ = try DeliveryProof(self.proofs, secrets: secrets, keys: JWKSCaches(fetch: Intake.fetchesNoKeys))
        }
    }
}
