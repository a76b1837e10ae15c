// SPDX-License-Identifier: Apache-2.0
// A credential as the ledger has it, with its password unsealed for the count.

import Composition
import Model
import Postgres
import Vault

struct LedgerCredential: Sendable {
    var id: String
    var name: String
    var password: String

    /// Returns the credentials that are not deleted, by user.
    static func read(_ settings: Settings, _ pool: PostgresPool) async throws -> [String: [LedgerCredential]] {
        let parts = try SharedParts(settings, connections: 2)
        return try await Administration.running(parts.pool) { _ in
            var ledger: [String: [LedgerCredential]] = [:]
            for row in try await pool.query(
                """
                select tenant_id, user_id, generation, provider_id, name, sealed_password from dialtone.credentials
                where status <> 'deleted'
                """)
            {
                var columns = row.columns
                let user = UserKey(tenant: try columns.next(), user: try columns.next())
                let generation: Generation = try columns.next()
                let id: ProviderID = try columns.next()
                let name: String = try columns.next()
                let sealed: Bytes = try columns.next()
                let password = try await parts.vault.open(
                    sealed.value, .credential("sealed_password", of: user, generation: generation, id))
                ledger[user.user.rawValue, default: []].append(
                    LedgerCredential(id: id.rawValue, name: name, password: password.reveal()))
            }
            return ledger
        }
    }
}
