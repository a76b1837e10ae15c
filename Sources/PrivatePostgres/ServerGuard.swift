// SPDX-License-Identifier: Apache-2.0
// The private server must not outlive us, however we end. A small process sees our end at a pipe and stops it.

import Foundation
import Glibc
import Synchronization

/// Stops the server of a folder when this process is gone, `kill -9` included.
enum ServerGuard {
    /// Starts the guard of a folder. `removing` names the paths that it removes at the end.
    ///
    /// The guard reads from a pipe whose only writer is this process. At end of file it sends SIGQUIT, which does not
    /// wait for sessions, to the postmaster. The first line of postmaster.pid holds its process id.
    static func watch(_ folder: URL, removing: [String]) {
        let pipe = Pipe()
        // No other child may keep the guard waiting.
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let line =
            [
                "/bin/sh", "-c",
                """
                trap '' INT TERM; cat >/dev/null
                server=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
                [ "$(readlink -f "/proc/$server/cwd")" = "$(readlink -f "$1/data")" ] || server=
                [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null
                while [ -n "$server" ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; done
                shift; [ $# = 0 ] || rm -rf "$@"
                """,
                "guard", folder.path,
            ] + removing
        // It ends after us, so nobody waits for it.
        _ = try? ChildProcess.start(line, input: pipe.fileHandleForReading.fileDescriptor, output: "/dev/null")
        try? pipe.fileHandleForReading.close()
        self.pipes.withLock { $0.append(pipe) }
    }

    /// Our ends of the pipes. They must stay open until this process ends.
    private static let pipes = Mutex<[Pipe]>([])
}
