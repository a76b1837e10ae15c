// SPDX-License-Identifier: Apache-2.0
// The forms that a part of a process takes as a service: background work, foreground work, and the HTTP client.

import AsyncHTTPClient
import ServiceLifecycle

/// Runs work that ends by being cancelled: a pool, a writer, a listener. Graceful shutdown cancels the work.
struct BackgroundService: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.work()
            // A service that returns ends its whole group. Work that is done early therefore waits for the end here.
            if !Task.isCancelled { try? await Task.sleep(for: .seconds(1_000_000_000)) }
        }
    }
}

/// Runs work that handles graceful shutdown itself.
struct ForegroundService: Service {
    let work: @Sendable () async throws -> Void

    func run() async throws { try await self.work() }
}

/// Owns the HTTP client. As the first service of its group it is shut down last, after every user of the client.
struct HTTPClientService: Service {
    let client: HTTPClient

    func run() async throws {
        try? await gracefulShutdown()
        try await self.client.shutdown()
    }
}
