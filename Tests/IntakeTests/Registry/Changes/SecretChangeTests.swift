// SPDX-License-Identifier: Apache-2.0
// A change of secrets or of proofs never leaves a source that cannot be read, neither now nor when older secrets end.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct SecretChangeTests {
    private static let both = """
        {"grammar":1,"proofs":[{"kind":"standard-webhooks"},
         {"kind":"hmac","hash":"sha256","encoding":"hex","header":"x-signature"}]}
        """
    private static let text = Array("whsec_\(Data(repeating: 7, count: 32).base64EncodedString())".utf8)
    private static let publicKey = Array("whpk_\(Data(repeating: 9, count: 32).base64EncodedString())".utf8)

    /// Standard Webhooks alone takes a public key, and the other proof needs a text.
    @Test(arguments: [0, 3600])
    func `a secret that could not serve alone is refused, whatever the overlap`(overlap: Int) async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            _ = try await registry.create(
                slug: "s", tenant: acme, allowedTenants: [], preset: "svix", configuration: Array(Self.both.utf8),
                secret: Self.text)
            await #expect(throws: InvalidValue.self) {
                try await registry.rotate(
                    slug: "s", tenant: acme, overlap: .seconds(overlap), secret: Self.publicKey)
            }
            let left = try await database.admin.query(
                "select (expires_at is null)::text from dialtone.source_secrets"
            ).map { try $0.decode(String.self) }
            #expect(left == ["true"], "the old secret goes on without an end")
        }
    }

    @Test func `proofs that only a secret with an end fits are refused`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            _ = try await registry.create(
                slug: "s", tenant: acme, allowedTenants: [], preset: "svix", secret: Self.text)
            _ = try await registry.rotate(
                slug: "s", tenant: acme, overlap: .seconds(3600), secret: Self.publicKey)
            let update = {
                try await registry.update(
                    slug: "s", tenant: acme, configuration: Array(Self.both.utf8), allowedTenants: nil)
            }
            let error = await #expect(throws: SourceError.self) { try await update() }
            guard case .losesSecrets? = error else { Issue.record("\(String(describing: error))"); return }
            _ = try await registry.rotate(slug: "s", tenant: acme, overlap: .seconds(3600), secret: Self.text)
            #expect(try await update().isChanged)
        }
    }

    @Test func `of two rotations side by side one is refused`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            let source = try await registry.create(slug: "s", tenant: acme, allowedTenants: [], preset: "svix")
            await #expect(throws: SourceError.changedMeanwhile("s")) {
                try await Self.besideRotation(of: source, database) {
                    _ = try await registry.rotate(
                        slug: "s", tenant: acme, overlap: .seconds(3600), secret: Self.text)
                }
            }
        }
    }

    /// Changes a source of acme while somebody rotates its secret: the change waits for the source's row, and finds
    /// another secret then.
    static func besideRotation(
        of source: NewSource, _ database: TestDatabase, _ change: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await database.admin.script("begin")
        _ = try await database.admin.query("select 1 from dialtone.sources where source_id = \(source.id) for update")
        let changed = Task { try await change() }
        try await database.untilSomebodyWaitsForALock()
        _ = try await database.admin.query(
            """
            insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed)
            values (\(UUID()), \(source.id), 'acme', 'x')
            """)
        try await database.admin.script("commit")
        try await changed.value
    }
}
