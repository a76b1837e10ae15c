// SPDX-License-Identifier: Apache-2.0
// A row that many ask for at once is read once: whoever asks meanwhile waits for that read and takes no connection.

import Synchronization

/// Reads, at most one for each key at a time.
package final class SharedReads<Value: Sendable>: Sendable {
    package typealias Outcome = Result<Value, any Error>

    private struct Waiter {
        let continuation: CheckedContinuation<Outcome?, Never>
        /// It has something else to go on with, and waits only as long as `patience`.
        let isImpatient: Bool
    }

    private struct Read {
        /// That of its first caller.
        let id: UInt64
        var waiters: [UInt64: Waiter]
        /// It has taken longer than `patience`.
        var isLate = false
    }

    private enum Step {
        case wait, begin
        case leave(Outcome?)
    }

    private let patience: Duration
    private let reads = Mutex<[String: Read]>([:])
    private let nextID = Atomic<UInt64>(1)

    /// `patience` is the longest time for which an impatient caller waits for one read.
    package init(patience: Duration = .seconds(1)) { self.patience = patience }

    /// How many wait for the read of this key.
    package func waiting(for key: String) -> Int { self.reads.withLock { $0[key]?.waiters.count ?? 0 } }

    /// Returns the outcome of the read of this key that is under way, or else of a new one by `read`.
    ///
    /// With `isImpatient`, returns nil when the read takes longer than `patience`; the read goes on. What `read` notes
    /// for later callers it notes before it returns, so that no second read begins in between.
    /// Cancelled here: fails with `CancellationError`; the read goes on for the others.
    package func outcome(
        of key: String, isImpatient: Bool = false, read: @escaping @Sendable () async throws -> Value
    ) async -> Outcome? {
        let id = self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(continuation: continuation, isImpatient: isImpatient)
                switch self.reads.withLock({ Self.enter(&$0, key, id, waiter) }) {
                case .wait: break
                case .leave(let outcome): continuation.resume(returning: outcome)
                // Unstructured, because it belongs to all who wait for it: it must not end with its first caller.
                case .begin: Task { await self.run(key, id, read) }
                }
            }
        } onCancel: {
            self.reads.withLock { $0[key]?.waiters.removeValue(forKey: id) }?
                .continuation.resume(returning: .failure(CancellationError()))
        }
    }

    private static func enter(_ reads: inout [String: Read], _ key: String, _ id: UInt64, _ waiter: Waiter) -> Step {
        // A cancellation that came before this lock found no waiter to withdraw.
        if Task.isCancelled { return .leave(.failure(CancellationError())) }
        guard let read = reads[key] else {
            reads[key] = Read(id: id, waiters: [id: waiter])
            return .begin
        }
        if read.isLate && waiter.isImpatient { return .leave(nil) }
        reads[key]?.waiters[id] = waiter
        return .wait
    }

    /// Its time is bounded by `read`: by the pool's time limits and the server's.
    private func run(_ key: String, _ id: UInt64, _ read: @escaping @Sendable () async throws -> Value) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                guard (try? await Task.sleep(for: self.patience)) != nil else { return }
                self.dismissImpatient(key, id)
            }
            let outcome: Outcome
            do { outcome = .success(try await read()) } catch { outcome = .failure(error) }
            let waiters = self.reads.withLock { $0.removeValue(forKey: key)?.waiters } ?? [:]
            for waiter in waiters.values { waiter.continuation.resume(returning: outcome) }
            group.cancelAll()
        }
    }

    /// The read of this key is late.
    private func dismissImpatient(_ key: String, _ id: UInt64) {
        let dismissed = self.reads.withLock { reads -> [Waiter] in
            guard let read = reads[key], read.id == id else { return [] }
            reads[key] = Read(id: id, waiters: read.waiters.filter { !$0.value.isImpatient }, isLate: true)
            return read.waiters.values.filter(\.isImpatient)
        }
        for waiter in dismissed { waiter.continuation.resume(returning: nil) }
    }
}
