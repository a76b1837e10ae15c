// SPDX-License-Identifier: Apache-2.0
// A program that we start and that holds nothing of ours: a server, and the guard of its folder, outlive many others.

import Glibc

/// Uses posix_spawn(3) and waitpid(2). Foundation's `Process` leaves descriptors open that another thread has just
/// made, and takes a child for running while a grandchild holds one of them.
enum ChildProcess {
    /// Starts the command line in a session of its own and returns its process id.
    ///
    /// `input`: a descriptor for its standard input; nil for an empty one. `output`: the file for all that it says.
    static func start(_ line: [String], input: Int32? = nil, output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A server that outlives the call must hold none of our descriptors. The reader of a socket or a pipe would
        // otherwise wait for the server's end.
        for descriptor in 3..<Int32(min(sysconf(Int32(_SC_OPEN_MAX)), 4096)) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // 0x80 is POSIX_SPAWN_SETSID, which the C module leaves out. Ctrl-C then reaches us only, and we stop the
        // server.
        posix_spawnattr_setflags(&attributes, 0x80)
        let arguments = line.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, line[0], &actions, &attributes, arguments, environ)
        guard failure == 0 else {
            throw PrivatePostgresError.commandFailed(command: line[0], output: String(cString: strerror(failure)))
        }
        return child
    }

    /// Waits for the end of a child and returns its status. Blocks the thread.
    static func end(of child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}
