// SPDX-License-Identifier: Apache-2.0
// What surrounds the process must not change where it connects, nor keep its memory.

import Glibc
import Postgres

package enum Environment {
    /// Takes libpq's variables out and turns core dumps off, for they would hold keys. Call before anything else runs.
    package static func close() {
        PostgresConfiguration.closeEnvironment()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Every client's connection is a descriptor; the usual soft limit is 1024.
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = min(files.rlim_max, 16_384)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
    }
}
