// SPDX-License-Identifier: Apache-2.0
// Closes the process to its surroundings: they change no connection and see nothing of its memory.

import Glibc
import Postgres

package enum Environment {
    /// Removes libpq's variables and the secrets from the environment, and forbids every copy of the memory, which holds
    /// keys. Call this before all else, while the process has one thread.
    package static func close() {
        PostgresConfiguration.closeEnvironment()
        SecretVariables.take()
        Self.forbidDumps()
        // Each connection of a client is a descriptor. The usual soft limit is 1024.
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = min(files.rlim_max, 16_384)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
    }

    /// Makes the process not dumpable (prctl(2), PR_SET_DUMPABLE): the kernel then writes no core file and starts no
    /// handler for one. Another process of the same user cannot attach, and cannot read memory or environment in /proc.
    ///
    /// The limit of a core's size alone does not hold for a handler behind a pipe (core(5)).
    private static func forbidDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Swift imports no C function with variable arguments, so prctl is found by its name.
        typealias Control = @convention(c) (CInt, CUnsignedLong, CUnsignedLong, CUnsignedLong, CUnsignedLong) -> CInt
        guard let library = dlopen(nil, RTLD_NOW), let address = dlsym(library, "prctl") else { return }
        let setDumpable: CInt = 4
        _ = unsafeBitCast(address, to: Control.self)(setDumpable, 0, 0, 0, 0)
    }
}
