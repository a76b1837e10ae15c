// SPDX-License-Identifier: Apache-2.0
// Surplus is deleted without anyone asking for it, so committed rows must prove it, and the owner must be there.

import Foundation
import Model
import Postgres
import ProviderLimits
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SurplusTests {
    /// Credential `s` of the test's user, generation 2, is taken for surplus. Each case gives the rows of the ledger
    /// and says whether `s` may be deleted.
    private static let cases: [(name: String, rows: [SQL], mayGo: Bool)] = [
        ("another id owns the generation", [user(.live, 2), credential("other", 2)], true),
        ("the generation is closed", [user(.live, 3)], true),
        ("the user is gone", [user(.gone, 2)], true),
        ("the user wants it", [user(.live, 2)], false),
        ("the generation is to come", [user(.live, 1)], false),
        ("nobody knows the user", [], false),
        ("a job of the generation works", [user(.gone, 2), Ledger.job(generation: 2)], false),
        ("a job of the next one works", [user(.live, 3), Ledger.job(generation: 3)], true),
        ("it is the one that is owned", [user(.live, 2), credential("s", 2)], false),
        ("it was owned and is deleted", [user(.live, 3), credential("s", 2, .deleted)], false),
    ]

    @Test(arguments: cases.indices)
    func `surplus is deleted only when committed rows prove that it is surplus`(_ number: Int) async throws {
        let given = Self.cases[number]
        try await Self.with(given.rows) { database in
            let taken = try await Self.taken(database)
            #expect(taken == (given.mayGo ? ["s"] : []), "\(given.name)")
            #expect(try await Self.taken(database).isEmpty, "one deleter at a time")
        }
    }

    /// Each case changes the server's state under the same clear surplus. The proofs stay true when commits are lost,
    /// so a new era holds nothing up.
    private static let changes: [(name: String, change: SQL, mayGo: Bool)] = [
        ("the tenant is not seen", Ledger.unseen, true),
        ("another system", "update dialtone.incarnation set is_stopped = true", false),
        ("another server", "update dialtone.incarnation set started = started - 1", false),
        ("another database", "update dialtone.incarnation set database_oid = database_oid + 1", false),
        ("another file", "update dialtone.incarnation set filenode = filenode + 1", false),
        ("nobody has met the server", "delete from dialtone.incarnation", false),
    ]

    @Test(arguments: changes.indices)
    func `surplus needs a known server for its delete, and no trust`(_ number: Int) async throws {
        let given = Self.changes[number]
        try await Self.with([Self.user(.gone, 2)]) { database in
            _ = try await database.admin.query(given.change)
            #expect(try await Self.taken(database) == (given.mayGo ? ["s"] : []), "\(given.name)")
        }
    }

    // MARK: The owner's word

    /// The owner of the generation is asked for before its second credential is deleted. 200, 404, and no answer.
    private static let words: [(name: String, there: Bool, isSilent: Bool, deleted: Bool, isMissing: Bool)] = [
        ("the owner is there", true, false, true, false),
        ("the owner is gone", false, false, false, true),
        ("the owner's word is missing", true, true, false, false),
    ]

    @Test(arguments: words.indices)
    func `a second credential is deleted only while its owner answers`(_ number: Int) async throws {
        let given = Self.words[number]
        try await Self.with([Self.user(.live, 2), Self.credential("owner", 2)]) { database in
            let deleted = Mutex<[ProviderID]>([])
            let provider = ScriptedProvider {
                $0.there = given.there ? [ProviderID(rawValue: "owner")] : []
                $0.silent = given.isSilent ? [ProviderID(rawValue: "owner")] : []
                $0.delete = { id in
                    deleted.withLock { $0.append(id) }
                    return nil
                }
            }
            let guarded = GuardedProvider(api: provider, limits: ProviderLimits(pool: database.pool))
            let deletion = SurplusDeletion(pool: database.pool, provider: guarded)
            let result = try await deletion.run(limit: 16)
            #expect(result.tried == 1 && result.gone.count == (given.deleted ? 1 : 0), "\(given.name)")
            let gone = deleted.withLock { $0 }
            #expect(gone == (given.deleted ? [ProviderID(rawValue: "s")] : []))
            let missing = try await database.admin.query(
                "select 1 from dialtone.credentials where missing_since is not null")
            #expect(missing.count == (given.isMissing ? 1 : 0))
            let later = try await database.admin.query(
                "select 1 from dialtone.surplus where deleted_at is null and due_at > now() + interval '50 seconds'")
            #expect(later.count == (given.deleted ? 0 : 1), "it waits")
        }
    }

    @Test func `a closed owner is not asked for`() async throws {
        try await Self.with([Self.user(.live, 3), Self.credential("owner", 2, .deleted)]) { database in
            let rows = try await database.admin.query(Surplus.due)
            let (id, isTaken, owner) = try #require(rows.first).decode(String.self, Bool.self, String?.self)
            #expect(id == "s" && isTaken && owner == nil)
        }
    }

    @Test func `surplus without a proof yet does not stand in the way of what has one`() async throws {
        try await Self.with([Self.user(.live, 2), Ledger.job(generation: 2)]) { database in
            let other = UserKey(tenant: testTenant, user: try UserID("other"))
            try await database.insert(
                Ledger.user(other, wanted: .gone), Ledger.surplus(ProviderID(rawValue: "later"), of: other))
            #expect(try await Self.taken(database) == ["later"])
            let changed = try await database.admin.query(
                "select 1 from dialtone.surplus where provider_id = 's' and due_at > now()")
            #expect(changed.count == 1)
        }
    }

    /// A fail-over may lose the commit that opened a generation, and a look of before ends after it.
    @Test func `of a generation that the ledger has forgotten nothing is remembered as surplus`() async throws {
        try await Self.with([Self.user(.gone, 1)]) { database in
            for generation in [2, 1] as [Generation] {
                let surplus = Surplus(
                    ids: [ProviderID(rawValue: "of-\(generation)")], user: testUserKey, generation: generation,
                    name: "n")
                try await database.commit(surplus.statements)
            }
            let ids = try await database.admin.query(
                "select provider_id from dialtone.surplus where provider_id like 'of-%'"
            ).map { try $0.decode(String.self) }
            #expect(ids == ["of-1"])
        }
    }

    @Test func `a delete tells its tag that it has changed`() async throws {
        try await Self.with([Ledger.tag(), Self.user(.gone, 2)]) { database in
            _ = try await database.pool.query(Surplus.deleted(ProviderID(rawValue: "s")))
            let changed = try await database.admin.query(
                "select 1 from dialtone.tenant_tags where changed_at is not null")
            #expect(changed.count == 1)
        }
    }

    // MARK: Test bed

    private static func with(_ rows: [SQL], _ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            try await database.insert(rows + [Ledger.surplus(ProviderID(rawValue: "s"), generation: 2)])
            try await work(database)
        }
    }

    /// The ids that one statement takes for deletion.
    private static func taken(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(Surplus.due).compactMap { row in
            let (id, isTaken, _) = try row.decode(String.self, Bool.self, String?.self)
            return isTaken ? id : nil
        }
    }

    private static func user(_ wanted: Wanted, _ generation: Generation) -> SQL {
        Ledger.user(wanted: wanted, generation: generation)
    }

    private static func credential(
        _ id: String, _ generation: Generation, _ status: CredentialStatus = .active
    ) -> SQL {
        Ledger.credential(ProviderID(rawValue: id), generation: generation, status: status)
    }
}
