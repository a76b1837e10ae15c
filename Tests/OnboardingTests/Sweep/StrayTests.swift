// SPDX-License-Identifier: Apache-2.0
// Credentials under our names whose owner the ledger does not have: looked for, adopted, and deleted at a word alone.

import Foundation
import Lifecycle
import Model
import Postgres
import Queue
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct StrayTests {
    private static let stray = ProviderID(rawValue: "stray")

    /// The user of the credential `stray` is not in the ledger.
    private static func withStray(_ work: (VisitBed) async throws -> Void) async throws {
        try await VisitBed.with(2) { bed in
            bed.provider.add(try bed.shown("stray", of: 9), to: "acme")
            try await work(bed)
        }
    }

    // MARK: Found

    @Test func `a new stray takes its tenant's trust until every worker knows its name`() async throws {
        try await Self.withStray { bed in
            let (outcome, _) = try await bed.visit()
            #expect(outcome.list?.hasNewStrays == true)
            #expect(try await Self.rows(bed) == ["stray acme open"])
            #expect(try await !bed.isTenantSeen())
            #expect(try await (40...42).contains(bed.pause()))
            #expect(try await bed.visit().outcome.list?.hasNewStrays == true, "too early")
            try await Self.age(bed)
            _ = try await bed.visit()
            #expect(try await bed.isTenantSeen())
            #expect(try await bed.visit().outcome == .agreed)
        }
    }

    @Test func `a job of a stray's name looks first, and one of another name does not`() async throws {
        let names = StrayNames()
        let start = ContinuousClock.now
        #expect(names.mayHold("dt-any", at: start), "nothing was read yet")
        let long = "dt-" + String(repeating: "a", count: 60)
        names.replace(with: [String(long.prefix(48))], asked: start)
        #expect(names.mayHold(long, at: start), "the provider may cut a name")
        #expect(!names.mayHold("dt-" + String(repeating: "b", count: 60), at: start))
        #expect(names.mayHold("dt-other", at: start + StrayNames.maximumAge), "what was read is too old")
    }

    @Test func `a job of a stray's name adopts it, and another creates at once`() async throws {
        try await JobRunBed.with { bed in
            let stray = TelephonyCredential.shown("stray", named: JobRunBed.name)
            let provider = ScriptedProvider {
                $0.create = { .created(.shown("made", named: $0.name ?? ""), ProviderTrace(httpStatus: 201)) }
                $0.list = { _ in [stray] }
                $0.there = [stray.id]
            }
            for (name, id) in [("another", "made"), (JobRunBed.name, "stray")] {
                let names = StrayNames()
                names.replace(with: [name], asked: .now)
                let result = try await bed.run(.armed(), on: provider, strayNames: names)
                guard case .owned(let evidence) = result else { throw UnexpectedResult(result: result) }
                #expect(evidence.providerID.rawValue == id)
            }
            #expect(provider.creates == 1)
        }
    }

    @Test func `a stray that somebody deletes at the provider is forgotten`() async throws {
        try await Self.withStray { bed in
            _ = try await bed.visit()
            bed.provider.remove(Self.stray)
            try await Self.age(bed)
            _ = try await bed.visit()
            #expect(try await Self.rows(bed).isEmpty)
        }
    }

    // MARK: Its owner

    @Test func `the owner of a stray is searched for among all users once a day`() async throws {
        try await Self.withStray { bed in
            _ = try await bed.visit()
            #expect(try await bed.database.pool.query(Stray.takeForWalk(limit: 10)).count == 1)
            #expect(try await bed.database.pool.query(Stray.takeForWalk(limit: 10)).isEmpty)
            try await bed.database.admin.script(
                "update dialtone.surplus set walked_at = walked_at - interval '25 hours'")
            #expect(try await bed.database.pool.query(Stray.takeForWalk(limit: 10)).count == 1)
        }
    }

    /// Each case is the owner's row, and what becomes of the stray and the user.
    private static let owners: [(name: String, change: String, becomes: String, job: [String])] = [
        ("one who waits for it and has no job", "'live', 1, 'pending', now()", "stray acme open", ["in_doubt"]),
        ("one who is gone", "'gone', 1, 'revoked', now()", "stray acme user-9", []),
        ("one whose generation is older", "'live', 2, 'ready', now()", "stray acme user-9", []),
    ]

    @Test(arguments: owners.indices)
    func `committed rows of its owner say what becomes of a stray`(_ number: Int) async throws {
        let given = Self.owners[number]
        try await Self.withStray { bed in
            _ = try await bed.visit()
            try await bed.database.admin.script(
                """
                insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                values ('acme', 'user-9', \(given.change))
                """)
            var report = SweepReport()
            let stray = Stray(
                id: Self.stray, name: bed.names.name(for: try VisitBed.user(9), generation: 1), tag: "acme")
            let result = try await StrayOwners(sweep: bed.sweep()).settle([stray], isEverywhere: false, &report)
            #expect(result.strays.isEmpty, "\(given.name)")
            #expect(try await Self.rows(bed) == [given.becomes], "\(given.name)")
            #expect(try await bed.rows("select state from dialtone.jobs") == given.job, "\(given.name)")
        }
    }

    /// The ledger has lost generation 2. The revoke came before the loss was known, or after it.
    @Test(arguments: ["- interval '1 hour'", "+ interval '1 hour'"])
    func `a word from after a loss closes what was lost, and an older word does not`(_ time: String) async throws {
        try await VisitBed.with(1) { bed in
            bed.provider.add(try bed.shown("lost", of: 9, generation: 2), to: "acme")
            try await bed.database.admin.script(
                """
                insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                values ('acme', 'user-9', 'gone', 1, 'revoked', now() \(time))
                """)
            let report = try await bed.sweep().run(tenant: testTenant)
            let isLater = time.hasPrefix("+")
            #expect(report.surplus == (isLater ? 1 : 0) && report.strays == (isLater ? 0 : 1))
            #expect(
                try await bed.rows("select generation::text from dialtone.users where user_id = 'user-9'")
                    == [isLater ? "2" : "1"])
            #expect(try await Self.taken(bed) == (isLater ? ["lost"] : []))
        }
    }

    /// The sign-up wants the very generation that was lost. Its job must go on finding the stray, and adopts it.
    @Test func `a generation that a sign-up wants by now is not overtaken, and a closed one is`() async throws {
        try await VisitBed.with(1) { bed in
            try await bed.database.admin.script(
                """
                insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
                values ('acme', 'user-9', 'live', 2, 'pending', now() + interval '1 hour')
                """)
            let name = OwnedName(user: try VisitBed.user(9), generation: 2)
            #expect(try await bed.sweep().inOneTransaction(SweepCorrections.overtake(name)) == 0)
            let closed = OwnedName(user: try VisitBed.user(9), generation: 1)
            #expect(try await bed.sweep().inOneTransaction(SweepCorrections.overtake(closed)) == 1)
        }
    }

    // MARK: An operator's word

    @Test func `a stray is deleted two minutes after an operator's word, and not before`() async throws {
        try await Self.withStray { bed in
            let report = try await bed.sweep { $0.deletesStrays = true }.run(tenant: testTenant)
            #expect(report.strays == 1 && report.straysDeleted == 0)
            #expect(try await Self.rows(bed) == ["stray acme doomed"])
            #expect(try await Self.taken(bed).isEmpty)
            try await bed.database.admin.script(
                "update dialtone.surplus set doomed_at = doomed_at - interval '121 seconds'")
            let deletion = SurplusDeletion(pool: bed.database.pool, provider: bed.sweep().provider)
            #expect(try await deletion.run(limit: 16).gone == [Self.stray])
            #expect(bed.provider.deleted == [Self.stray])
        }
    }

    @Test func `a stray may be adopted until it is doomed`() async throws {
        for isDoomed in [false, true] {
            try await Self.withStray { bed in
                _ = try await bed.visit()
                if isDoomed { _ = try await bed.database.pool.query(Stray.doom([Self.stray])) }
                let job = ArmedJob(user: try VisitBed.user(9), lease: Self.lease)
                try await bed.database.insert(
                    Ledger.user(job.user),
                    Ledger.job(
                        job.lease.job, of: job.user, state: .armed, epoch: job.lease.epoch, worker: job.lease.worker))
                try await ArmedJob.nameInstallation(bed.database)
                try await bed.database.commit(Evidence.record([job.evidence(id: "stray")]))
                let isRecorded = try await !bed.rows(
                    "select provider_id from dialtone.credentials where provider_id = 'stray'"
                ).isEmpty
                #expect(isRecorded != isDoomed)
                _ = try await bed.database.admin.query(Surplus.disown)
                #expect(try await Self.rows(bed).isEmpty == isRecorded)
            }
        }
    }

    /// The word came while a record was under way.
    @Test func `a doomed stray that was adopted all the same is not deleted`() async throws {
        try await Self.withStray { bed in
            _ = try await bed.visit()
            _ = try await bed.database.pool.query(Stray.doom([Self.stray]))
            try await bed.database.insert(
                Ledger.user(try VisitBed.user(9)),
                Ledger.credential(Self.stray, of: try VisitBed.user(9)),
                "update dialtone.surplus set doomed_at = doomed_at - interval '1 hour'")
            #expect(try await Self.taken(bed).isEmpty)
        }
    }

    // MARK: Rows

    private static let lease = Lease(
        job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: .armed)

    private static func rows(_ bed: VisitBed) async throws -> [String] {
        try await bed.rows(
            """
            select provider_id || ' ' || tag || ' '
                   || coalesce(user_id, case when doomed_at is null then 'open' else 'doomed' end)
            from dialtone.surplus where deleted_at is null
            """)
    }

    /// What may be deleted now.
    private static func taken(_ bed: VisitBed) async throws -> [String] {
        try await bed.database.admin.query(Surplus.due).compactMap { row -> String? in
            let (id, isTaken, _) = try row.decode(String.self, Bool.self, String?.self)
            return isTaken ? id : nil
        }
    }

    /// An hour passes since strays were found.
    private static func age(_ bed: VisitBed) async throws {
        try await bed.database.admin.script("update dialtone.surplus set found_at = now() - interval '1 hour'")
    }
}
