// SPDX-License-Identifier: Apache-2.0
// What surrounds the process must not change where it connects: libpq's variables are taken out first.

import Postgres

package enum Environment {
    /// Call before anything else runs.
    package static func close() { PostgresConfiguration.closeEnvironment() }
}
