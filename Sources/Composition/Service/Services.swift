// SPDX-License-Identifier: Apache-2.0
// Small services: things that run beside the story and end when the process does.

import AsyncHTTPClient
import Postgres
import Queue
import Schema
import ServiceLifecycle
import Web

/// Runs until graceful shutdown, which cancels it. For work that ends by being cancelled: pools, writers, listeners.
struct BackgroundService: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.work()
            // A service that returns ends the whole group; one whose work is done early stays until the end.
            if !Task.isCancelled { try? await Task.sleep(for: .seconds(1_000_000_000)) }
        }
    }
}

/// Runs work that knows graceful shutdown itself.
struct ForegroundService: Service {
    let work: @Sendable () async throws -> Void

    func run() async throws { try await self.work() }
}

/// Owns the HTTP client: shut down last, after everything that uses it.
struct HTTPClientService: Service {
    let client: HTTPClient

    func run() async throws {
        try? await gracefulShutdown()
        try await self.client.shutdown()
    }
}

/// Tells workers in other processes that there are jobs: a NOTIFY from its own connection, after the commit and never
/// in its transaction (a NOTIFY takes a lock on the whole database until its commit), and coalesced.
struct JobNotifier: Sendable {
    let pool: PostgresPool
    let wakeup = Wakeup()

    func run() async {
        while !Task.isCancelled {
            await self.wakeup.wait()
            guard !Task.isCancelled else { return }
            // A hint that is lost costs at most one poll interval.
            _ = try? await self.pool.query("select pg_notify(\(JobQueue.channel), '')")
            try? await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// Whether requests can be served, asked of the database once a second at most, however many ask us.
actor Readiness {
    private let verify: @Sendable (PostgresConnection) async throws -> Void
    private var last: (at: ContinuousClock.Instant, verdict: Result<Void, any Error>)?

    init(_ verify: @escaping @Sendable (PostgresConnection) async throws -> Void) { self.verify = verify }

    /// Throws what is wrong.
    func check(_ pool: PostgresPool) async throws {
        if let last, last.at + .seconds(1) > .now { return try last.verdict.get() }
        let verdict: Result<Void, any Error>
        do {
            try await pool.withConnection { try await self.verify($0) }
            verdict = .success(())
        } catch let error as SchemaError {
            verdict = .failure(NotReady("\(error)"))
        } catch {
            verdict = .failure(error)
        }
        self.last = (.now, verdict)
        try verdict.get()
    }
}
