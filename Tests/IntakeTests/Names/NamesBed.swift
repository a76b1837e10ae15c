// SPDX-License-Identifier: Apache-2.0
// A writer with a vault, events that tell names, and the names that the ledger has of them.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Vault

@testable import Intake

struct NamesBed {
    let database: TestDatabase
    let vault: Vault

    /// Lends a database with the tenants `acme` and `globex`, and the sources of `WordBed`.
    /// `hasKeys`: the tenants' keys are in memory. A sign-up does not wait for keys, and a busy machine takes its time
    /// to read them.
    static func with(hasKeys: Bool = true, _ work: (NamesBed) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            let vault = Vault(keys: TenantKeys(pool: database.pool, kek: kek))
            for tenant in hasKeys ? ["acme", "globex"] : [] { _ = try await vault.sealer(for: tenant) }
            try await work(NamesBed(database: database, vault: vault))
        }
    }

    // MARK: Writing

    /// Writes each event by itself, in one batch where they are of different users. Returns what became of them.
    @discardableResult
    func write(_ events: NewEvent...) async throws -> [EventOutcome?] {
        let writer = EventWriter(pool: self.database.pool, wakeup: Wakeup(), logger: Self.silent, vault: self.vault)
        let answers = writer.submit(events)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await writer.run() }
            defer { group.cancelAll() }
            return await WriterBed.outcomes(answers, count: events.count)
        }
    }

    /// Commits words in one transaction, as the tracked writer does.
    @discardableResult
    func say(_ words: NewWord...) async throws -> [EventOutcome?] {
        var clock = FairClock()
        let sealed = try await NameSealing(vault: self.vault).seal(words, in: self.database.pool)
        let results = try await TrackedDelivery.store(sealed, &clock, in: self.database.pool)
        return words.map { results[$0.id].flatMap { try? $0.get().status } }
    }

    private static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    // MARK: Reading

    /// The names of a tenant, opened, as `u-1: Ada, ada@example.com`.
    func names(in tenant: TenantID = testTenant) async throws -> [String] {
        let rows = try await self.database.admin.query(
            "select user_id, sealed from dialtone.person_names where tenant_id = \(tenant) order by user_id")
        var names: [String] = []
        for row in rows {
            var columns = row.columns
            let user = UserKey(tenant: tenant, user: try columns.next())
            let sealed: Bytes = try columns.next()
            let name = PersonName(
                sealedText: try await self.vault.open(sealed.value, .personName(of: user)).reveal())
            names.append("\(user.user): \(name.name ?? "-"), \(name.email ?? "-")")
        }
        return names
    }

    /// Who has an address, as the directory finds them.
    func users(with email: String, in tenant: TenantID = testTenant) async throws -> [String] {
        let index = try await self.vault.sealer(for: tenant.rawValue)
            .blindIndex(PersonName.folded(email), column: "email")
        return try await self.database.admin.query(
            "select user_id from dialtone.person_names where tenant_id = \(tenant) and email_index = \(Bytes(index))"
        ).map { try $0.decode(String.self) }
    }
}

extension NewName {
    static func of(_ name: String?, _ email: String?) -> NewName? {
        PersonName(told: name, email: email).map { NewName(told: $0) }
    }
}

extension NewEvent {
    /// The same event with a name, that arrived some minutes later.
    func called(_ name: String?, _ email: String?, arrived minutes: Int = 0) -> NewEvent {
        NewEvent(
            id: self.id, source: self.source, deliveryID: self.deliveryID,
            receivedAt: self.receivedAt + TimeInterval(minutes) * 60, change: self.change, name: .of(name, email))
    }
}

extension NewWord {
    func called(_ name: String?, _ email: String?) -> NewWord {
        var word = self
        word.name = .of(name, email)
        return word
    }
}
