// SPDX-License-Identifier: Apache-2.0
// Names wait a moment for their keys, and a tenant whose keys are late is not asked for again for a while.

import Crypto
import Foundation
import Model
import Synchronization
import TestSupport
import Testing
import Vault

@testable import Intake

@Suite struct NameKeysTests {
    @Test func `late keys keep nobody waiting, and are there for whoever asks next`() async throws {
        try await TestDatabase.with { database in
            let service = try HalfAsleep()
            let keys = NameKeys(
                vault: Vault(keys: TenantKeys(pool: database.pool, kek: service)), patience: .seconds(2), rest: .zero)
            let tenants: Set = [try TenantID("acme"), try TenantID("asleep")]
            let first = await keys.sealers(of: tenants)
            #expect(first.keys.map(\.rawValue) == ["acme"])
            service.wake()
            let second = await keys.sealers(of: tenants)
            #expect(Set(second.keys.map(\.rawValue)) == ["acme", "asleep"])
        }
    }

    @Test func `a tenant whose keys cannot be had is left alone for a while`() async throws {
        try await TestDatabase.with { database in
            let service = try HalfAsleep()
            let vault = Vault(keys: TenantKeys(pool: database.pool, kek: service))
            let keys = NameKeys(vault: vault, patience: .seconds(60), rest: .seconds(3600))
            let tenants: Set = [try TenantID("refused")]
            for _ in 1...3 { #expect(await keys.sealers(of: tenants).isEmpty) }
            #expect(service.refused == 1)
        }
    }
}

/// A key service that lets the tenant `asleep` wait until it is woken, and refuses the tenant `refused`.
private final class HalfAsleep: KeyEncryptionKey {
    let uri = "env:KEK"
    private let key: LocalKeyEncryptionKey
    private let times = Mutex(0)
    private let woken = AsyncStream.makeStream(of: Void.self)

    init() throws {
        let text = LocalKeyEncryptionKey.generate()
        self.key = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
    }

    /// How often it has refused.
    var refused: Int { self.times.withLock(\.self) }

    func wake() { self.woken.continuation.finish() }

    func wrap(_ key: SymmetricKey, tenant: String, keyID: UUID, version: Int32) async throws -> [UInt8] {
        if tenant == "asleep" { for await _ in self.woken.stream {} }
        if tenant == "refused" {
            self.times.withLock { $0 += 1 }
            throw CancellationError()
        }
        return try await self.key.wrap(key, tenant: tenant, keyID: keyID, version: version)
    }

    func unwrap(_ wrapped: [UInt8], tenant: String, keyID: UUID, version: Int32) async throws -> SymmetricKey {
        try await self.key.unwrap(wrapped, tenant: tenant, keyID: keyID, version: version)
    }
}
