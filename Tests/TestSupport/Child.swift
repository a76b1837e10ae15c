// SPDX-License-Identifier: Apache-2.0
// A program that a test starts, hears and ends: one child process.

import Dispatch
import Foundation
package import Glibc
import Synchronization

/// A child process. It is reaped when it ends, also when nobody asks for its end.
package final class Child: Sendable {
    package let processIdentifier: pid_t
    /// What waitpid(2) has said; nil while the child runs.
    private let status = Mutex<Int32?>(nil)
    private let end = DispatchGroup()

    /// Takes over a child that has just been started.
    init(_ child: pid_t) {
        self.processIdentifier = child
        self.end.enter()
        // A thread of its own waits, because a child may run as long as the test.
        Thread.detachNewThread {
            // WNOWAIT leaves the child's number its own until it is reaped under the lock.
            var told = siginfo_t()
            while waitid(P_PID, id_t(self.processIdentifier), &told, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
            self.status.withLock { status in
                var reaped: Int32 = 0
                while waitpid(self.processIdentifier, &reaped, 0) < 0 && errno == EINTR {}
                status = reaped
            }
            self.end.leave()
        }
    }

    package var isRunning: Bool { self.status.withLock { $0 == nil } }

    /// The exit code; the signal's number when the child has died of one; nil while it runs.
    package var exitCode: Int32? { self.status.withLock { $0.map { ($0 & 0x7f) == 0 ? ($0 >> 8) & 0xff : $0 & 0x7f } } }

    /// Whether the child has ended by itself, and of no signal.
    package var hasExited: Bool { self.status.withLock { $0.map { ($0 & 0x7f) == 0 } ?? false } }

    /// Sends a signal, unless the child has ended.
    package func signal(_ number: Int32) {
        // Under the lock the child is not reaped, and so its number is no other process's.
        self.status.withLock { if $0 == nil { _ = kill(self.processIdentifier, number) } }
    }

    package func terminate() { self.signal(SIGTERM) }

    /// Waits for the end, and returns the exit code. A cancelled task waits on: the child needs an end of its own.
    @discardableResult
    package func ended() async -> Int32 {
        await withCheckedContinuation { ended in
            self.end.notify(queue: .global()) { ended.resume() }
        }
        return self.exitCode ?? -1
    }

    /// Waits for the end, and returns the exit code. Blocks the thread.
    @discardableResult
    package func waitUntilExit() -> Int32 {
        self.end.wait()
        return self.exitCode ?? -1
    }
}
