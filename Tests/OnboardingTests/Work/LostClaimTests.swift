// SPDX-License-Identifier: Apache-2.0
// The connection dies between a claim's commit and its answer: nothing was sent, so nobody waits and nobody looks.

import Foundation
import Model
import Postgres
import PrivatePostgres
import Queue
import Schema
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct LostClaimTests {
    @Test func `users of a claim whose answer was lost get their credentials at once and without a look`() async throws
    {
        try await Self.withServer { server, admin in
            let pool = PostgresPool(.init(try PostgresConfiguration(url: server.url())))
            let provider = ScriptedProvider.making()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                defer { group.cancelAll() }
                let installation = try await WorkerBed.installation(on: admin)
                try await WorkerBed.work(on: provider, pool, installation: installation) {
                    try await Self.until("select 1 from dialtone.incarnation", on: admin)
                    try await admin.script("set synchronous_commit = local")
                    try await Self.insertTenant(on: admin)
                    // The worker claims once its first user is ready.
                    try await Self.until("select 1 from dialtone.users where status = 'ready'", on: admin)
                    let commits = try await WaitingCommits(on: server, admin: admin)
                    try await Self.insert([Ledger.users(5), Ledger.jobs(5)], on: admin)
                    try await commits.endOne("pg_terminate_backend", of: "brief as materialized")
                    let cut = ContinuousClock.now
                    try await commits.end()
                    try await Self.until("select 1 from dialtone.users having bool_and(status = 'ready')", on: admin)
                    #expect(ContinuousClock.now - cut < .seconds(20), "no lease has run out meanwhile")
                }
            }
            #expect(provider.creates == 6 && provider.lists.allSatisfy { $0.name == nil })
            let back = try await admin.query(
                "select 1 from dialtone.job_log where error_code = 'claim_lost' and to_state = 'queued'")
            #expect(back.count == 5)
            #expect(try await admin.query("select 1 from dialtone.job_log where to_state = 'in_doubt'").isEmpty)
        }
    }

    /// Its tenant may be seen by the time that the claim is put back, and then nobody else looks.
    @Test func `a job whose credential was seen before its claim was put back looks first`() async throws {
        try await TestDatabase.with { database in
            let worker = WorkerID(rawValue: UUID())
            try await database.insert(
                Ledger.tenant(), Ledger.tag(), Ledger.user(), Ledger.knownServer,
                Ledger.job(state: .armed, worker: worker))
            let found = FoundCredential(
                id: ProviderID(rawValue: "seen"), owner: OwnedName(user: testUserKey, generation: 1), tag: "acme")
            try await database.commit(SweepCorrections.makeLook(found))
            let row = try await database.admin.query("select era from dialtone.incarnation").first
            let era = try #require(row).decode(Int64.self)
            let back = PutBack(worker: worker, state: .armed, held: [], era: era)
            #expect(try await database.pool.query(back.statement).count == 1)
            let looking = try await database.admin.query("select 1 from dialtone.jobs where state = 'in_doubt'")
            #expect(looking.count == 1)
        }
    }

    // MARK: Test bed

    /// A tenant with one user who waits.
    private static func insertTenant(on admin: PostgresConnection) async throws {
        let first = UserKey(tenant: testTenant, user: try UserID("first"))
        try await Self.insert(
            [
                Ledger.tenant(), Ledger.tag(), Self.seen("tenants"), Self.seen("tenant_tags"),
                Ledger.user(first), Ledger.job(of: first),
            ], on: admin)
    }

    private static func insert(_ rows: [SQL], on admin: PostgresConnection) async throws {
        for answer in try await admin.pipeline([rows]).joined() { _ = try answer.get() }
    }

    /// A tenant that is not seen would look first.
    private static func seen(_ table: String) -> SQL {
        SQL(stringLiteral: "update dialtone.\(table) set seen_era = (select era from dialtone.incarnation)")
    }

    /// Asks until the statement returns a row, for 60 seconds.
    private static func until(_ statement: SQL, on admin: PostgresConnection) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await admin.query(statement).isEmpty {
            guard ContinuousClock.now < deadline else { throw TestDatabase.NeverCame(what: "the row did not come") }
            _ = try await admin.query("select pg_sleep(0.02)::text")
        }
    }

    private static func withServer(_ work: (PrivatePostgres, PostgresConnection) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-lost-\(UUID())")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        let outcome: Result<Void, any Error>
        do {
            let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
            _ = try await Schema().migrate(on: admin)
            outcome = .success(try await work(server, admin))
            await admin.close()
        } catch {
            outcome = .failure(error)
        }
        try await server.stop(mode: "immediate")
        server.remove()
        try outcome.get()
    }
}
