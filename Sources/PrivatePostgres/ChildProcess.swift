// SPDX-License-Identifier: Apache-2.0
// A program that we start and that holds nothing of ours: a server, and the guard of its folder, outlive many others.

package import Glibc

/// Uses posix_spawn(3) and waitpid(2). Foundation's `Process` leaves descriptors open that another thread has just
/// made, takes a child for running while a grandchild holds one of them, and crashes when many threads start programs.
package enum ChildProcess {
    /// Descriptors for the child's standard input, output and errors. Nil is an empty input, or nowhere.
    package struct Streams {
        package var input: Int32?
        package var output: Int32?
        package var errors: Int32?

        package init(input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil) {
            self.input = input
            self.output = output
            self.errors = errors
        }
    }

    /// Starts the command line as below. `output`: the file for all that it says.
    static func start(_ line: [String], input: Int32? = nil, output: String) throws -> pid_t {
        let file = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failed(line, errno) }
        defer { close(file) }
        return try Self.start(line, streams: Streams(input: input, output: file, errors: file))
    }

    /// Starts the command line in a session of its own and returns its process id.
    ///
    /// `environment`: each as `NAME=value`; nil: this process's own.
    package static func start(
        _ line: [String], environment: [String]? = nil, streams: Streams
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in zip(Int32(0)..., [streams.input, streams.output, streams.errors]) {
            if let stream {
                posix_spawn_file_actions_adddup2(&actions, stream, number)
            } else {
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            }
        }
        // A server that outlives the call must hold none of our descriptors. The reader of a socket or a pipe would
        // otherwise wait for the server's end.
        for descriptor in 3..<Int32(min(sysconf(Int32(_SC_OPEN_MAX)), 4096)) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = Self.attributes()
        defer { posix_spawnattr_destroy(&attributes) }
        let arguments = line.map { strdup($0) } + [nil]
        let variables = environment.map { $0.map { strdup($0) } + [nil] }
        defer { for text in arguments + (variables ?? []) { free(text) } }
        var child: pid_t = 0
        let failure =
            if let variables {
                posix_spawn(&child, line[0], &actions, &attributes, arguments, variables)
            } else {
                posix_spawn(&child, line[0], &actions, &attributes, arguments, environ)
            }
        guard failure == 0 else { throw Self.failed(line, failure) }
        return child
    }

    /// Returns what a child does not inherit: our session and what our thread does with signals.
    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // A thread of libdispatch blocks signals, and a child inherits what its thread blocks.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // 0x80 is POSIX_SPAWN_SETSID, which the C module leaves out. Ctrl-C then reaches us only, and we stop the
        // server.
        posix_spawnattr_setflags(&attributes, 0x80 | Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    private static func failed(_ line: [String], _ code: Int32) -> PrivatePostgresError {
        .commandFailed(command: line[0], output: String(cString: strerror(code)))
    }

    /// Waits for the end of a child and returns its status. Blocks the thread.
    static func end(of child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}
