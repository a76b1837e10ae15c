// SPDX-License-Identifier: Apache-2.0
// A worker in this process whose loops keep up with a hurried clock.

import Composition
import Logging
import ServiceLifecycle

/// The worker of the program, made as `dialtone serve` makes it, on a database with a `HurriedClock`.
enum HurriedWorker {
    /// Runs a worker as long as `work`.
    static func with<Value>(_ stage: Stage, hurry: Int, _ work: () async throws -> Value) async throws -> Value {
        let settings = try await Settings.read(flags: stage.environment)
        let logger = Serve.logger(settings)
        let node = try await Node(settings, roles: [.worker], logger: logger, hurry: hurry, onReady: { _ in })
        let services = ServiceGroup(services: node.services, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await work())
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            return try outcome.get()
        }
    }
}
