// SPDX-License-Identifier: Apache-2.0
// "There may be something to do": a signal between tasks of one process that is never lost and never piles up.

import Synchronization

/// A coalesced signal for one waiter. A signal sent while nobody waits is kept; two count as one.
package final class Wakeup: Sendable {
    private struct State {
        var isSignalled = false
        var waiter: CheckedContinuation<Void, Never>?
        var listeners: [Wakeup] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func signal() {
        let (waiter, listeners) = self.state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            state.isSignalled = waiter == nil
            return (waiter, state.listeners)
        }
        waiter?.resume()
        for listener in listeners { listener.signal() }
    }

    /// Passes every later signal on, for a second waiter.
    package func forward(to other: Wakeup) {
        self.state.withLock { $0.listeners.append(other) }
    }

    /// Returns at the next signal, or at once if one came since the last wait.
    ///
    /// Cancelled here: returns; the caller looks at `Task.isCancelled`.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isReady = self.state.withLock { state in
                    if state.isSignalled || Task.isCancelled {
                        state.isSignalled = false
                        return true
                    }
                    state.waiter = waiter
                    return false
                }
                if isReady { waiter.resume() }
            }
        } onCancel: {
            self.state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}
