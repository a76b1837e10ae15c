// SPDX-License-Identifier: Apache-2.0
// A tenant's keys are made once, and they are useless without the key-encryption key that wraps them.

import Crypto
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Vault

@Suite struct TenantKeysTests {
    @Test func `nodes that need a tenant's key at the same moment share one key`() async throws {
        try await TestDatabase.with { database in
            try await Self.addTenants(database)
            let kek = try Self.kek()
            let nodes = (0..<4).map { _ in TenantKeys(pool: database.pool, kek: kek) }
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for node in nodes {
                    for _ in 0..<10 { group.addTask { try await node.active("acme", .record).id } }
                }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await database.admin.query("select 1 from dialtone.tenant_keys").count == 1)
        }
    }

    @Test func `a node opens a value that another node has sealed`() async throws {
        try await TestDatabase.with { database in
            try await Self.addTenants(database)
            let kek = try Self.kek()
            let sealed = try await Self.vault(database, kek).seal(Secret("sip-password"), Self.place("acme"))
            let opened = try await Self.vault(database, kek).open(sealed, Self.place("acme"))
            #expect(opened.reveal() == "sip-password")
            let stored = try await database.admin.query("select wrapped, kek_uri from dialtone.tenant_keys")
            for row in stored {
                let (wrapped, uri) = try row.decode(Bytes.self, String.self)
                #expect(wrapped.value.count == 40 && uri == "env:KEK", "AES key wrap, and where the key is, not what")
            }
        }
    }

    @Test func `with another key-encryption key nothing opens and nothing new is sealed`() async throws {
        try await TestDatabase.with { database in
            try await Self.addTenants(database)
            let sealed = try await Self.vault(database, Self.kek()).seal(Secret("s"), Self.place("acme"))
            let stranger = try Self.vault(database, Self.kek())
            await #expect(throws: (any Error).self) { try await stranger.open(sealed, Self.place("acme")) }
            await #expect(throws: (any Error).self) { try await stranger.seal(Secret("t"), Self.place("acme")) }
            #expect(try await database.admin.query("select 1 from dialtone.tenant_keys").count == 2, "record and index")
        }
    }

    /// A second key-encryption key in one database would leave no key that is right for all.
    @Test func `another key-encryption key makes no key for a tenant that has none`() async throws {
        try await TestDatabase.with { database in
            try await Self.addTenants(database)
            _ = try await Self.vault(database, Self.kek()).seal(Secret("s"), Self.place("acme"))
            let stranger = try Self.vault(database, Self.kek())
            await #expect(throws: WrongKeyEncryptionKey.self) {
                try await stranger.seal(Secret("t"), Self.place("globex"))
            }
            #expect(try await database.admin.query("select 1 from dialtone.tenant_keys").count == 2)
        }
    }

    @Test func `a value sealed for one tenant never opens for another`() async throws {
        try await TestDatabase.with { database in
            try await Self.addTenants(database)
            let vault = Self.vault(database, try Self.kek())
            let sealed = try await vault.seal(Secret("s"), Self.place("acme"))
            _ = try await vault.seal(Secret("s"), Self.place("globex"))
            await #expect(throws: CannotOpen()) { try await vault.open(sealed, Self.place("globex")) }
            // Moving the key's row to the other tenant does not help, because the wrapped key is bound to its tenant.
            try await database.admin.script(
                """
                update dialtone.tenant_keys set state = 'decrypt' where tenant_id = 'globex';
                update dialtone.tenant_keys set tenant_id = 'globex', version = 2 where tenant_id = 'acme'
                """)
            let fresh = Self.vault(database, try Self.kek(Self.bytes))
            await #expect(throws: (any Error).self) { try await fresh.open(sealed, Self.place("globex")) }
        }
    }

    /// A page or an export has many values of one tenant.
    @Test func `an opener asks once for a key that many values name`() async throws {
        try await TestDatabase.with { database in
            try await Self.addTenants(database)
            let keys = TenantKeys(pool: database.pool, kek: try Self.kek(), maximumAge: .zero)
            let vault = Vault(keys: keys)
            let first = try await vault.seal(Secret("one"), Self.place("acme"))
            let second = try await vault.seal(Secret("two"), Self.place("acme"))
            let others = try await vault.seal(Secret("three"), Self.place("globex"))
            var opener = vault.opener
            let one = try await opener.open(first, Self.place("acme"))
            #expect(one.reveal() == "one")
            try await database.admin.script("delete from dialtone.tenant_keys where tenant_id = 'acme'")
            let two = try await opener.open(second, Self.place("acme"))
            #expect(two.reveal() == "two", "the key is in hand")
            let three = try await opener.open(others, Self.place("globex"))
            #expect(three.reveal() == "three")
            await #expect(throws: CannotOpen()) { try await vault.open(second, Self.place("acme")) }
        }
    }

    // MARK: Keys and places

    private static let bytes = Data((0..<32).map { _ in UInt8.random(in: 0...255) })

    private static func kek(_ bytes: Data? = nil) throws -> LocalKeyEncryptionKey {
        let text = bytes?.base64EncodedString() ?? LocalKeyEncryptionKey.generate()
        return try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
    }

    private static func vault(_ database: TestDatabase, _ kek: LocalKeyEncryptionKey) -> Vault {
        Vault(keys: TenantKeys(pool: database.pool, kek: kek))
    }

    private static func place(_ tenant: String) -> SealedBinding {
        SealedBinding(tenant: tenant, table: "t", column: "c", row: "r", user: "u", generation: 1)
    }

    private static func addTenants(_ database: TestDatabase) async throws {
        try await database.insert(Ledger.tenant(), Ledger.tenant(try TenantID("globex"), connection: "2"))
    }
}
