// SPDX-License-Identifier: Apache-2.0
// Decides whether this process can do its work: the answer to `GET /readyz`, on both listeners.

import Schema
import Synchronization
import Telemetry
import Web

/// Asks the database at most once a second, however many callers ask for readiness.
final class Readiness: Sendable {
    private let database: SharedCheck<String?>
    private let worker: WorkerPulse?
    private let isStopping = Atomic(false)

    /// `verify` throws when the database cannot serve. `worker` is nil in a process without one.
    init(worker: WorkerPulse?, verify: @escaping @Sendable () async throws -> Void) {
        self.worker = worker
        self.database = SharedCheck(check: {
            do {
                try await verify()
                return nil
            } catch let error as SchemaError {
                return "\(error)"
            } catch {
                return "The database cannot be reached."
            }
        })
    }

    /// The process has been told to end.
    func stop() { self.isStopping.store(true, ordering: .relaxed) }

    /// Whether requests can be served. A worker's trouble does not count: events are stored without it.
    func servesRequests() async -> Bool {
        guard !self.isStopping.load(ordering: .relaxed) else { return false }
        return await self.database.answer() == nil
    }

    /// What an operator should know of a process that is ready all the same.
    func notes() -> [String] { [self.worker?.stoppedDeletes].compactMap { $0 } }

    /// Why this process cannot do its work; empty when it can.
    func reasons() async -> [String] {
        var reasons: [String] = []
        if self.isStopping.load(ordering: .relaxed) { reasons.append("This process is stopping.") }
        if let reason = await self.database.answer() { reasons.append(reason) }
        if let trouble = self.worker?.trouble { reasons.append("The worker's housekeeping fails: \(trouble)") }
        return reasons
    }
}
