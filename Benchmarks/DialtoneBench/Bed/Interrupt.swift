// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, or a SIGTERM: the processes that a benchmark has started end with it. The server has a guard of its own.

import Foundation
import Synchronization

enum Interrupt {
    private static let started = Mutex<Set<Int32>>([])

    /// Begins to watch for both signals. The benchmark then ends with 130, as a shell says of a signal's end. The
    /// caller keeps what is returned: a source that is let go watches nothing.
    static func watch() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                Self.started.withLock { pids in
                    for pid in pids { kill(pid, SIGKILL) }
                }
                exit(130)
            }
            source.resume()
            return source
        }
    }

    static func add(_ pid: Int32) { _ = Self.started.withLock { $0.insert(pid) } }

    /// A process that has ended may not be signalled: its number may be another's by then.
    static func remove(_ pid: Int32) { _ = Self.started.withLock { $0.remove(pid) } }
}
