// SPDX-License-Identifier: Apache-2.0
// Finds at the start that a key-encryption key is not the one that wraps the keys in the database.

import Foundation
package import Postgres

/// The keys in this database are wrapped with another key-encryption key.
package struct WrongKeyEncryptionKey: Error, CustomStringConvertible {
    let uri: String
    package var description: String {
        "DIALTONE_KEK (\(self.uri)) does not open the keys in this database; put back the key they were made with"
    }
}

extension TenantKeys {
    /// Throws `WrongKeyEncryptionKey` when `kek` cannot open the newest key of this database.
    ///
    /// So an operator learns it at the start, and not at every webhook.
    package static func verify(_ kek: any KeyEncryptionKey, on connection: PostgresConnection) async throws {
        let row = try await connection.query(
            """
            select tenant_id, key_id, version, wrapped from dialtone.tenant_keys
            where state in ('active', 'decrypt') order by created_at desc limit 1
            """
        ).first
        guard let (tenant, id, version, wrapped) = try row?.decode(String.self, UUID.self, Int32.self, Bytes.self)
        else { return }
        do {
            _ = try await kek.unwrap(wrapped.value, tenant: tenant, keyID: id, version: version)
        } catch {
            throw WrongKeyEncryptionKey(uri: kek.uri)
        }
    }
}
