// SPDX-License-Identifier: Apache-2.0
// The place that a source's sealed secret is bound to, so that a copy of it opens nowhere else.

import Foundation
import Vault

enum SecretPlace {
    /// Returns the binding of a row of `source_secrets`. `scope` is the source's tenant, or '-' for a source of
    /// several.
    static func binding(_ secretID: UUID, _ scope: String) -> SealedBinding {
        SealedBinding(
            tenant: scope, table: "source_secrets", column: "sealed", row: secretID.uuidString.lowercased(), user: "",
            generation: 0)
    }
}
