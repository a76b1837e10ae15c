// SPDX-License-Identifier: Apache-2.0
// A proof is never green while anything is open, and the provider's word decides.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct ProofTests {
    private static func open(
        wanted: Bool = true, active: Int = 0, closing: Int = 0, surplus: Int = 0, missing: Bool = false,
        expired: Bool = false, doubtful: Bool = false, waiting: Bool = false
    ) -> Proof.Open {
        Proof.Open(
            isWanted: wanted, active: active, closing: closing, surplus: surplus, isMissing: missing,
            isExpired: expired, isDoubtful: doubtful, isWaiting: waiting)
    }

    @Test func `the ledger alone comes to a verdict`() {
        #expect(Self.open(active: 1).verdict == .exactlyOne)
        #expect(Self.open(wanted: false).verdict == .noneAsWanted)
        #expect(Self.open().verdict == .missing)
        #expect(Self.open(waiting: true).verdict == .unknown)
        #expect(Self.open(active: 1, surplus: 1).verdict == .extra)
        #expect(Self.open(wanted: false, active: 1).verdict == .extra)
        #expect(Self.open(wanted: false, closing: 1).verdict == .extra)
        #expect(Self.open(active: 1, closing: 1).verdict == .extra, "the one before serves until it is deleted")
        #expect(Self.open(active: 1, missing: true).verdict == .unknown)
    }

    @Test func `a credential that has expired is as good as none`() {
        #expect(Self.open(active: 1, expired: true).verdict == .missing)
        #expect(Self.open(active: 1, expired: true, waiting: true).verdict == .unknown)
        #expect(Self.open(active: 1, surplus: 1, expired: true).verdict == .extra)
        #expect(Self.open(wanted: false, active: 1, expired: true).verdict == .extra, "it is not deleted yet")
    }

    @Test(arguments: [0, 1, 2]) func `while a create is in doubt nothing is proven`(active: Int) {
        for wanted in [true, false] {
            #expect(Self.open(wanted: wanted, active: active, doubtful: true).verdict == .unknown)
        }
    }

    private static func proof(_ wanted: Wanted, id: String?, _ verdict: Verdict = .exactlyOne) -> Proof {
        let now = Date(timeIntervalSince1970: 1_795_687_200)
        let owned = id.map {
            Proof.Owned(
                credentialID: $0, generation: 1, name: "n", tag: "acme", activeSince: now, expiresAt: nil,
                missingSince: nil, seenAt: nil)
        }
        return Proof(
            tenant: "acme", userID: "u", verdict: verdict, observedAt: now, wanted: wanted.rawValue, generation: 1,
            ledger: owned, history: .init(), provider: nil)
    }

    /// What is found by its id is live and bears the name, unless a test says otherwise.
    private static func asked(
        _ byID: Int?, _ byName: [String]?, isExpired: Bool = false, hasName: Bool? = true, expired: [String] = []
    ) -> Proof.Asked {
        let isFound = byID == 200
        return Proof.Asked(
            byID: byID, isExpired: isFound ? isExpired : nil, hasName: isFound ? hasName : nil, byName: byName,
            expiredByName: byName == nil ? nil : expired, calls: 2, milliseconds: 84)
    }

    @Test func `the provider's word decides`() {
        let one = Self.proof(.live, id: "a")
        #expect(one.verdict(with: Self.asked(200, ["a"])) == .exactlyOne)
        #expect(one.verdict(with: Self.asked(200, [])) == .exactlyOne, "a list may lag behind")
        #expect(one.verdict(with: Self.asked(404, [])) == .missing)
        #expect(one.verdict(with: Self.asked(200, ["a", "b"])) == .extra)
        #expect(one.verdict(with: Self.asked(404, ["b"])) == .extra)
        let none = Self.proof(.gone, id: nil, .noneAsWanted)
        #expect(none.verdict(with: Self.asked(nil, [])) == .noneAsWanted)
        #expect(none.verdict(with: Self.asked(nil, ["a"])) == .extra)
        let missing = Self.proof(.live, id: nil, .missing)
        #expect(missing.verdict(with: Self.asked(nil, [])) == .missing)
        #expect(missing.verdict(with: Self.asked(nil, ["a"])) == .extra)
    }

    @Test func `an expired credential proves nothing green, and beside one that serves it is none too many`() {
        let one = Self.proof(.live, id: "a")
        #expect(one.verdict(with: Self.asked(200, ["a"], isExpired: true)) == .missing)
        #expect(one.verdict(with: Self.asked(200, ["a"], expired: ["a"])) == .missing, "expiry is final")
        #expect(one.verdict(with: Self.asked(200, ["a", "b"], expired: ["b"])) == .exactlyOne)
        #expect(one.verdict(with: Self.asked(200, ["a", "b"], isExpired: true, expired: ["a", "b"])) == .missing)
        #expect(one.verdict(with: Self.asked(200, ["a", "b"], isExpired: true, expired: ["a"])) == .extra)
        let missing = Self.proof(.live, id: nil, .missing)
        #expect(missing.verdict(with: Self.asked(nil, ["b"], expired: ["b"])) == .missing)
        let none = Self.proof(.gone, id: nil, .noneAsWanted)
        #expect(none.verdict(with: Self.asked(nil, ["b"], expired: ["b"])) == .extra, "nor an expired one")
    }

    @Test func `another name under the id, or none, leaves it unknown`() {
        let one = Self.proof(.live, id: "a")
        for hasName in [false, nil] {
            #expect(one.verdict(with: Self.asked(200, ["a"], hasName: hasName)) == .unknown)
            #expect(one.verdict(with: Self.asked(200, ["b"], hasName: hasName)) == .extra)
            #expect(one.verdict(with: Self.asked(200, [], isExpired: true, hasName: hasName)) == .missing)
        }
    }

    @Test func `the provider's word never makes a verdict better`() {
        for open in [Verdict.unknown, .extra, .missing] {
            for (wanted, id) in [(Wanted.live, String?.some("a")), (.live, nil), (.gone, nil), (.gone, "a")] {
                for answer in [Self.asked(200, ["a"]), Self.asked(200, []), Self.asked(404, []), Self.asked(nil, [])] {
                    let verdict = Self.proof(wanted, id: id, open).verdict(with: answer)
                    #expect(verdict != .exactlyOne && verdict != .noneAsWanted, "\(open) \(wanted) \(answer)")
                }
            }
        }
    }

    @Test func `an answer that is missing leaves it unknown`() {
        for proof in [Self.proof(.live, id: "a"), Self.proof(.gone, id: nil), Self.proof(.live, id: nil, .missing)] {
            #expect(proof.verdict(with: Self.asked(nil, nil)) == .unknown)
        }
        #expect(Self.proof(.live, id: "a").verdict(with: Self.asked(nil, ["a"])) == .unknown)
        #expect(Self.proof(.live, id: "a").verdict(with: Self.asked(200, nil)) == .unknown)
    }

    @Test func `the ledger's proof has the credential and its history`() async throws {
        try await TestDatabase.with { database in
            let id = ProviderID(rawValue: "cred-1")
            try await database.insert(
                Ledger.user(testUserKey, status: .ready, readyAt: Date()),
                Ledger.credential(id, of: testUserKey),
                "update dialtone.credentials set creates = 2, answers_lost = 1, looks = 3",
                """
                insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, deleted_at)
                values ('extra', \(testTenant), \(testUser), 1, 'n', now())
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let reader = Reader(tenant: testTenant)
            let proof = try #require(try await queries.proofs.ledger(testUserKey, as: reader))
            #expect(proof.verdict == .exactlyOne && proof.ledger?.credentialID == "cred-1")
            #expect(proof.history.creates == 2 && proof.history.answersLost == 1 && proof.history.looks == 3)
            #expect(proof.history.extraFound == 1 && proof.history.extraDeleted == 1)
            try await database.insert("update dialtone.surplus set deleted_at = null")
            let open = try #require(try await queries.proofs.ledger(testUserKey, as: reader))
            #expect(open.verdict == .extra)
            let stranger = Reader(tenant: try TenantID("globex"))
            #expect(try await queries.proofs.ledger(testUserKey, as: stranger) == nil)
        }
    }

    @Test func `the ledger's proof is not green once the credential has expired by the database's clock`() async throws
    {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.user(testUserKey, status: .ready, readyAt: Date()),
                Ledger.credential(ProviderID(rawValue: "cred-1"), of: testUserKey, age: .seconds(7200)),
                "update dialtone.credentials set expires_at = now() + interval '1 hour'")
            let (queries, _) = try DirectoryBed.queries(database)
            let reader = Reader(tenant: testTenant)
            let before = try #require(try await queries.proofs.ledger(testUserKey, as: reader))
            #expect(before.verdict == .exactlyOne)
            try await database.admin.script(
                "update dialtone.credentials set expires_at = now() - interval '1 hour'")
            let after = try #require(try await queries.proofs.ledger(testUserKey, as: reader))
            #expect(after.verdict == .missing && after.ledger?.credentialID == "cred-1")
            #expect(after.verdict(with: Self.asked(200, ["cred-1"])) == .missing)
        }
    }

    /// Each may still lead to a second credential, or to the first.
    @Test(arguments: [
        "update dialtone.jobs set state = 'in_doubt'",
        "update dialtone.jobs set state = 'dead', deaths = 1, in_doubt = true, quiet_until = now()",
        "update dialtone.jobs set must_look = true",
        """
        insert into dialtone.doubts (tenant_id, user_id, generation, due_at) values ('acme', 'user-1', 2, now())
        """,
    ])
    func `what is in doubt anywhere proves nothing`(_ change: String) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.user(testUserKey, status: .ready, readyAt: Date()),
                Ledger.credential(ProviderID(rawValue: "cred-1"), of: testUserKey), Ledger.job())
            let (queries, _) = try DirectoryBed.queries(database)
            let reader = Reader(tenant: testTenant)
            let before = try #require(try await queries.proofs.ledger(testUserKey, as: reader))
            #expect(before.verdict == .exactlyOne)
            try await database.admin.script(change)
            let after = try #require(try await queries.proofs.ledger(testUserKey, as: reader))
            #expect(after.verdict == .unknown && !before.agrees(with: after))
        }
    }

    @Test func `what was tried for a credential that is not there yet is counted from the log`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.user(), Ledger.job(),
                """
                insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch,
                                              http_status, error_code)
                select gen_random_uuid(), \(testTenant), \(testUser), 1, line.*
                from (values ('queued', 'armed', 1, null, null), ('armed', 'in_doubt', 1, 503, 'unknown: status'),
                             ('in_doubt', 'looking', 2, null, null), ('looking', 'armed', 2, 200, null),
                             ('armed', 'in_doubt', 2, 503, 'unknown: status')) line
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let proof = try #require(try await queries.proofs.ledger(testUserKey, as: Reader(tenant: testTenant)))
            #expect(proof.history.creates == 2 && proof.history.answersLost == 2 && proof.history.looks == 1)
        }
    }
}
