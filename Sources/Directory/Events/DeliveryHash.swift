// SPDX-License-Identifier: Apache-2.0
// The hash under which the ledger has a delivery whose source signs no time, or whose id has named an erased person.

import Postgres

enum DeliveryHash {
    /// The same as intake's `StoredID`. `id` and `source` are columns, or other SQL.
    static func of(_ id: SQL, from source: SQL) -> SQL {
        "'sha256:' || encode(sha256(convert_to(\(source)::text || ':' || \(id), 'UTF8')), 'hex')"
    }

    /// Whether a column holds such a hash, also with what intake adds where the sender's id was used for another event.
    static func isHash(_ id: SQL) -> SQL { "\(id) ~ '^sha256:[0-9a-f]{64}(#[0-9a-f]{32})?$'" }
}
