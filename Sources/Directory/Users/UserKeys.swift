// SPDX-License-Identifier: Apache-2.0
// The blind indexes of a filter: how a user is found by a value that only its hash stands for.

import Model
import Postgres
import Vault

/// Keyed hashes, made with the tenant's index key. Nil: the filter does not name the value.
struct UserKeys: Sendable {
    var username: Bytes?
    var email: Bytes?

    /// Capitals make no difference in an e-mail address here: people write their own in either way.
    init(of filter: UserFilter, for tenant: TenantID, _ vault: Vault) async throws {
        guard filter.sipUsername != nil || filter.email != nil else { return }
        let index = try await vault.blindIndex(for: tenant.rawValue)
        self.username = filter.sipUsername.map { Bytes(index.hash($0, column: "sip_username")) }
        self.email = filter.email.map { Bytes(index.hash(PersonName.folded($0), column: "email")) }
    }

    init() {}
}
