// SPDX-License-Identifier: Apache-2.0
// Closes the process to its surroundings: they change no connection and keep no copy of its memory.

import Glibc
import Postgres

package enum Environment {
    /// Removes libpq's variables and turns core dumps off, because a dump would hold keys. Call this before all else.
    package static func close() {
        PostgresConfiguration.closeEnvironment()
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Each connection of a client is a descriptor. The usual soft limit is 1024.
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = min(files.rlim_max, 16_384)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
    }
}
