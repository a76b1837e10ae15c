// SPDX-License-Identifier: Apache-2.0
// The place that a source's sealed secret is bound to, so that a copy of it opens nowhere else.

import Foundation
import Model
import Vault

enum SecretPlace {
    /// Returns the binding of a row of `source_secrets`. `scope` is the source's tenant, or '-' for a source of
    /// several. The source's id stands where a user's secret has its user.
    static func binding(_ secretID: UUID, of source: SourceID, _ scope: String) -> SealedBinding {
        SealedBinding(
            tenant: scope, table: "source_secrets", column: "sealed", row: secretID.lowercase,
            user: source.rawValue.lowercase, generation: 0)
    }
}
