// SPDX-License-Identifier: Apache-2.0
// A source's secrets rotate without a gap, and no source is made for an unknown tenant.

import Crypto
import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing
import Vault

@testable import Intake

@Suite struct SourceRegistryTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func `both secrets of a source are accepted until the overlap ends`() async throws {
        try await Self.withRegistry { registry, intake, database in
            let acme = try TenantID("acme")
            let source = try await registry.create(slug: "app", tenant: acme, allowedTenants: [], preset: "standard")
            #expect(try await intake.deliver(source, source.secret, id: "1", at: Self.noon) == .accepted)
            let rotated = try await registry.rotate(slug: "app", tenant: acme, overlap: .seconds(3600))
            #expect(rotated.hookID == source.hookID && rotated.secret?.reveal() != source.secret?.reveal())
            // The database's clock has set the expiry. The noon of this test is on another day.
            _ = try await database.admin.query(
                """
                update dialtone.source_secrets set expires_at = \(Self.noon + 3600) where expires_at is not null
                """)
            for (minute, old, new) in [(1, true, true), (59, true, true), (61, false, true)] {
                let now = Self.noon + TimeInterval(minute) * 60
                for (secret, isGood) in [(source.secret, old), (rotated.secret, new)] {
                    let isTaken = (try? await intake.deliver(source, secret, id: "2", at: now)) != nil
                    #expect(isTaken == isGood, "minute \(minute)")
                }
            }
        }
    }

    @Test func `a rotation never prolongs a secret that already has an end`() async throws {
        try await Self.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            _ = try await registry.create(slug: "app", tenant: acme, allowedTenants: [], preset: "standard")
            _ = try await registry.rotate(slug: "app", tenant: acme, overlap: .zero)
            _ = try await registry.rotate(slug: "app", tenant: acme, overlap: .seconds(7200))
            let due = try await database.admin.query(
                """
                select count(*) filter (where expires_at < now()), count(*) filter (where expires_at > now()),
                       count(*) filter (where expires_at is null) from dialtone.source_secrets
                """
            ).first?.decode(Int64.self, Int64.self, Int64.self)
            #expect(due?.0 == 1 && due?.1 == 1 && due?.2 == 1)
        }
    }

    @Test func `a rotation to more keys than a source may have is refused, and its secret goes on`() async throws {
        try await Self.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            _ = try await registry.create(slug: "app", tenant: acme, allowedTenants: [], preset: "svix")
            let key = Data(repeating: 7, count: 32).base64EncodedString()
            let four = Array(Array(repeating: "v1,whsec_\(key)", count: 4).joined(separator: "|").utf8)
            await #expect(throws: InvalidValue.self) {
                try await registry.rotate(slug: "app", tenant: acme, overlap: .seconds(60), secret: four)
            }
            let statement: SQL = "select count(*) from dialtone.source_secrets where expires_at is null"
            let left = try await database.admin.query(statement).first?.decode(Int64.self)
            #expect(left == 1)
            // Without an overlap the four are alone.
            _ = try await registry.rotate(slug: "app", tenant: acme, overlap: .zero, secret: four)
        }
    }

    /// Somebody who can write the database hangs a secret that he knows on another source: of the same tenant, of
    /// another one, and with the tenant's name changed too. The source's own secret goes on.
    @Test(arguments: ["acme", "globex", "-"], [false, true])
    func `a secret moved to another source opens nothing`(victim: String, isRenamed: Bool) async throws {
        try await Self.withRegistry { registry, intake, database in
            try await database.insert(Ledger.tenant(try TenantID("globex"), connection: "2"))
            let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
            let known = try await registry.create(slug: "app", tenant: acme, allowedTenants: [], preset: "standard")
            let other = try await registry.create(
                slug: "other", tenant: TenantID(rawValue: victim), allowedTenants: victim == "-" ? [acme, globex] : [],
                preset: "standard")
            _ = try await database.admin.query(
                """
                update dialtone.source_secrets
                set source_id = \(other.id), tenant_id = case when \(isRenamed) then \(victim) else tenant_id end
                where source_id = \(known.id)
                """)
            for (secret, isTaken) in [(known.secret, false), (other.secret, true)] {
                let outcome = try? await intake.deliver(
                    other, secret, id: "1", for: victim == "-" ? "globex" : nil, at: Self.noon)
                #expect((outcome != nil) == isTaken)
            }
            let left = try? await intake.deliver(known, known.secret, id: "2", at: Self.noon)
            #expect(left == nil)
        }
    }

    @Test func `an unknown source or tenant is named in the error`() async throws {
        try await Self.withRegistry { registry, _, database in
            let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
            await #expect(throws: SourceError.unknownSource("app")) {
                try await registry.rotate(slug: "app", tenant: acme, overlap: .zero)
            }
            await #expect(throws: SourceError.unknownTenant(globex)) {
                try await registry.create(slug: "app", tenant: nil, allowedTenants: [acme, globex], preset: "standard")
            }
            await #expect(throws: SourceError.unknownTenant(globex)) {
                try await registry.create(slug: "app", tenant: globex, allowedTenants: [], preset: "standard")
            }
            #expect(try await database.admin.query("select 1 from dialtone.source_secrets").isEmpty)
        }
    }

    @Test func `a source of another owner is not found, and it is said how to name it`() async throws {
        try await Self.withRegistry { registry, _, database in
            let (acme, globex) = (try TenantID("acme"), try TenantID("globex"))
            try await database.insert(Ledger.tenant(globex, connection: "2"))
            _ = try await registry.create(slug: "own", tenant: acme, allowedTenants: [])
            _ = try await registry.create(slug: "own", tenant: globex, allowedTenants: [])
            _ = try await registry.create(slug: "shared", tenant: nil, allowedTenants: [acme, globex])
            let error = await #expect(throws: SourceError.self) {
                try await registry.rotate(slug: "own", tenant: nil, overlap: .zero)
            }
            #expect(error == .ownedElsewhere("own", by: [acme, globex]))
            #expect(error?.description.hasSuffix("give --tenant acme, or give --tenant globex") == true)
            let shared = await #expect(throws: SourceError.self) {
                try await registry.rotate(slug: "shared", tenant: acme, overlap: .zero)
            }
            #expect(shared?.description.hasSuffix("leave out --tenant") == true)
        }
    }

    @Test func `a list tells the sources that lack their sender's own secret`() async throws {
        try await Self.withRegistry { registry, _, _ in
            let acme = try TenantID("acme")
            for preset in ["clerk", "okta", "standard"] {
                _ = try await registry.create(slug: preset, tenant: acme, allowedTenants: [], preset: preset)
            }
            // Words of a source's own count before its preset's. Of proofs of its own the preset's words say nothing.
            for (slug, preset, configuration) in [
                ("own-words", "okta", #"{"grammar":1,"setup":{"secret":"sender","text":"in its console"}}"#),
                ("own-words-for-us", "clerk", #"{"grammar":1,"setup":{"secret":"dialtone","text":"in its console"}}"#),
                ("own-proofs", "svix", #"{"grammar":1,"proofs":[{"kind":"standard-webhooks"}]}"#),
                ("own-about", "svix", #"{"grammar":1,"about":"one of ours"}"#),
            ] {
                _ = try await registry.create(
                    slug: slug, tenant: acme, allowedTenants: [], preset: preset,
                    configuration: Array(configuration.utf8))
            }
            let takes = try await registry.list(tenant: acme).filter(\.takesSendersSecret).map(\.slug)
            #expect(takes == ["clerk", "own-about", "own-words"])
        }
    }

    @Test func `a list tells every secret in force, and the newest ten that have ended`() async throws {
        try await Self.withRegistry { registry, _, database in
            let acme = try TenantID("acme")
            let source = try await registry.create(slug: "app", tenant: acme, allowedTenants: [], preset: "standard")
            // Twelve have ended, twelve will end or have no end, and one was made with the source.
            try await database.insert(
                """
                insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed, created_at, expires_at)
                select gen_random_uuid(), \(source.id), 'acme', 'x'::bytea, now() - number * interval '1 day',
                       case when number <= 12 then now() - interval '1 hour'
                            when number <= 18 then now() + interval '1 hour' end
                from generate_series(1, 24) as number
                """)
            let secrets = try #require(try await registry.list(tenant: acme).first).secrets
            let (now, day) = (Date(), TimeInterval(86_400))
            let ended = secrets.filter { $0.expiresAt.map { $0 <= now } ?? false }
            #expect(ended.count == 10 && ended.allSatisfy { $0.createdAt > now - 10.5 * day })
            #expect(secrets.count == 10 + 13)
            #expect(secrets.map(\.createdAt) == secrets.map(\.createdAt).sorted(by: >))
        }
    }

    /// Lends a registry whose database has the tenant `acme`, and intake.
    static func withRegistry(
        _ work: (SourceRegistry, Intake, TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            let vault = Vault(keys: TenantKeys(pool: database.pool, kek: kek))
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let intake = Intake(
                pool: database.pool, lookUps: database.pool, vault: vault, wakeup: Wakeup(), logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await intake.run() }
                try await work(SourceRegistry(pool: database.pool, vault: vault), intake, database)
                group.cancelAll()
            }
        }
    }
}

extension Intake {
    fileprivate func deliver(
        _ source: NewSource, _ secret: Secret<String>?, id: String, for tenant: String? = nil, at now: Date
    ) async throws -> EventOutcome {
        let secret = try #require(secret)
        let name = tenant.map { ",\"tenant_id\":\"\($0)\"" } ?? ""
        let body = Array("{\"type\":\"user.created\",\"data\":{\"user_id\":\"u\"\(name)}}".utf8)
        let stamp = Int64(now.timeIntervalSince1970)
        let signature = StandardWebhooksProof.sign(
            id: id, timestamp: stamp, body: body, key: try StandardWebhooksProof.key(from: secret.reveal()))
        let headers = ["webhook-id": id, "webhook-timestamp": "\(stamp)", "webhook-signature": signature]
        let delivery = Delivery(
            hook: source.hookID, headers: { name in headers[name].map { [$0] } ?? [] }, body: body, receivedAt: now)
        return try await self.receive(delivery).status
    }
}
