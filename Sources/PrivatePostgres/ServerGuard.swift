// SPDX-License-Identifier: Apache-2.0
// The private server must not outlive us, however we end: a small process waits for our end of a pipe and then stops it.

import Foundation
import Synchronization

/// Stops the server of a folder when this process is gone, `kill -9` included.
enum ServerGuard {
    /// The guard reads from a pipe whose only writer is this process; at end of file it kills the postmaster whose id
    /// stands in the first line of postmaster.pid (SIGQUIT: no waiting for sessions).
    static func watch(_ folder: URL) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c",
            "trap '' INT TERM; cat >/dev/null; kill -QUIT \"$(head -n 1 \"$1/data/postmaster.pid\")\" 2>/dev/null",
            "guard",
            folder.path,
        ]
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try? process.run()
        self.pipes.withLock { $0.append(pipe) }
    }

    private static let pipes = Mutex<[Pipe]>([])
}
