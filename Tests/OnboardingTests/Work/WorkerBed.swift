// SPDX-License-Identifier: Apache-2.0
// A whole worker for a test, with a scripted provider and a vault of its own.

import Foundation
import Logging
import Postgres
import ProviderLimits
import Queue
import Synchronization
import Telemetry
import Telnyx
import TestSupport
import Testing
import Vault

@testable import Onboarding

enum WorkerBed {
    /// Runs a worker while `work` waits.
    static func work(
        on provider: ScriptedProvider, _ database: TestDatabase, _ work: () async throws -> Void
    ) async throws {
        try await self.work(
            on: provider, database.pool, installation: try await Self.installation(on: database.admin), work: work)
    }

    static func work(
        on provider: ScriptedProvider, _ pool: PostgresPool, installation: UUID,
        _ configuration: OnboardingWorker.Configuration = .init(), work: () async throws -> Void
    ) async throws {
        let worker = try Self.worker(on: provider, pool, installation: installation, configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            defer { group.cancelAll() }
            try await work()
        }
    }

    /// Makes a worker that does not run.
    static func worker(
        on provider: ScriptedProvider, _ pool: PostgresPool, installation: UUID,
        _ configuration: OnboardingWorker.Configuration = .init(), metrics: Measurements = Measurements()
    ) throws -> OnboardingWorker {
        let text = LocalKeyEncryptionKey.generate()
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        return OnboardingWorker(
            configuration: configuration, pool: pool, api: provider,
            vault: Vault(keys: TenantKeys(pool: pool, kek: kek)),
            limits: ProviderLimits(pool: pool), wakeup: Wakeup(), installation: installation,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: metrics)
    }

    static func installation(on admin: PostgresConnection) async throws -> UUID {
        try #require(await admin.query("select id from dialtone.installation").first).decode(UUID.self)
    }
}

/// A door that stays open once it is opened.
final class Latch: Sendable {
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { waiter in
            let isOpen = self.state.withLock { state in
                if !state.isOpen { state.waiters.append(waiter) }
                return state.isOpen
            }
            if isOpen { waiter.resume() }
        }
    }

    func open() {
        let waiters = self.state.withLock { state in
            defer { state = (true, []) }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
