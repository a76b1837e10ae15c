// SPDX-License-Identifier: Apache-2.0
// The hash under which the ledger has a delivery whose id names a person, where its source signs no time.

import Postgres

enum DeliveryHash {
    /// The same as intake's `StoredID`. `id` and `source` are columns, or other SQL.
    static func of(_ id: SQL, from source: SQL) -> SQL {
        "'sha256:' || encode(sha256(convert_to(\(source)::text || ':' || \(id), 'UTF8')), 'hex')"
    }
}
