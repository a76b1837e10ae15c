// SPDX-License-Identifier: Apache-2.0
// Lets a command end its work well when SIGINT or SIGTERM comes.

import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM. A signal ends `wait`; while the work does not wait, a signal cancels the work.
struct Interruption: Sendable {
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let isAwaited: Flag

    private final class Flag: Sendable { let value = Atomic(false) }

    /// Runs work until it ends or a signal comes. An error of work that a signal has cancelled is dropped.
    static func run(_ work: @escaping @Sendable (Interruption) async throws -> Void) async throws {
        let (signals, signal) = AsyncStream<Void>.makeStream()
        let interruption = Interruption(signals: signals, signal: signal, isAwaited: Flag())
        // Unstructured, because a signal must be able to cancel it.
        let task = Task { try await work(interruption) }
        let sources = [SIGINT, SIGTERM].map { number in
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if interruption.isAwaited.value.load(ordering: .relaxed) { signal.yield() } else { task.cancel() }
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            try await task.value
        } catch {
            if task.isCancelled { return }
            throw error
        }
    }

    /// Returns at the next signal. Cancelled here: returns.
    func wait() async {
        self.isAwaited.value.store(true, ordering: .relaxed)
        for await _ in self.signals { return }
    }
}
