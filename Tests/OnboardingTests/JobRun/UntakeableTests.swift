// SPDX-License-Identifier: Apache-2.0
// A credential whose password the provider shows no more keeps nobody from an end: neither a sign-up nor a revoke.

import Lifecycle
import Model
import Postgres
import Queue
import Synchronization
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct UntakeableTests {
    @Test func `a user whose credential shows no password three times gets another one`() async throws {
        try await TestDatabase.with { database in
            let shelf = try await Self.foundWithoutPassword(wanted: .live, in: database)
            try await WorkerBed.work(on: shelf.provider, database) {
                try await database.until("select 1 from dialtone.users where status = 'ready'")
                try await database.until("select 1 from dialtone.surplus where deleted_at is not null")
            }
            let owned = try await database.admin.query(
                "select generation, provider_id from dialtone.credentials where status = 'active'"
            ).map { "\(try $0.decode(Generation.self, String.self))" }
            #expect(owned == ["(2, \"made\")"])
            #expect(shelf.deleted == ["lost"])
            let times = try await database.admin.query(
                "select 1 from dialtone.job_log where error_code = 'found_without_password'")
            #expect(times.count == 2, "the third time it is given up")
        }
    }

    @Test func `a credential without a password that nobody wants is deleted, and its revoke ends`() async throws {
        try await TestDatabase.with { database in
            let shelf = try await Self.foundWithoutPassword(wanted: .gone, in: database)
            try await WorkerBed.work(on: shelf.provider, database) {
                try await database.until("select 1 from dialtone.users where status = 'revoked'")
            }
            #expect(shelf.deleted == ["lost"])
            #expect(try await database.count("dialtone.jobs") == 0 && shelf.provider.creates == 0)
        }
    }

    /// The names differ in their last characters, as when the provider cuts names.
    @Test func `what bears another name than exactly ours is not deleted unrecorded`() async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(Ledger.user(wanted: .gone, status: .revoking), Ledger.knownServer)
            var job = ClaimedJob.looking()
            job.life.wanted = .gone
            for (name, isDeleted) in [(String(JobRunBed.name.prefix(44)), false), (JobRunBed.name, true)] {
                let shelf = Shelf([.withoutPassword("p", named: name)])
                let result = try await bed.run(job, on: shelf.provider)
                #expect(result.moved?.to == .inDoubt)
                #expect(shelf.deleted == (isDeleted ? ["p"] : []))
            }
        }
    }

    @Test func `a credential that the ledger owns is not deleted unrecorded`() async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(Ledger.user(wanted: .gone, status: .revoking), Ledger.knownServer)
            try await bed.own("p")
            var job = ClaimedJob.looking()
            job.life.wanted = .gone
            let shelf = Shelf([.withoutPassword("p", named: JobRunBed.name)])
            let result = try await bed.run(job, on: shelf.provider)
            #expect(result.moved?.to == .inDoubt && shelf.deleted.isEmpty)
        }
    }

    /// Inserts a user whose create was in doubt long ago, and returns the provider that has made its credential.
    private static func foundWithoutPassword(wanted: Wanted, in database: TestDatabase) async throws -> Shelf {
        try await database.insert(
            Ledger.tenant(), Ledger.tag(held: 1),
            Ledger.user(wanted: wanted, status: wanted == .live ? .pending : .revoking),
            Ledger.job(state: .inDoubt, isDoubtful: true, tag: "acme"),
            "update dialtone.jobs set quiet_until = now() - interval '1 minute'")
        let names = CredentialName(installation: try await WorkerBed.installation(on: database.admin))
        return Shelf([.withoutPassword("lost", named: names.name(for: testUserKey, generation: 1))])
    }
}

/// A provider that shows no passwords, except of what it has just made.
private struct Shelf {
    private final class Held: Sendable {
        let there: Mutex<[TelephonyCredential]>
        let deleted = Mutex<[String]>([])
        init(_ there: [TelephonyCredential]) { self.there = Mutex(there) }
    }

    private let held: Held
    let provider: ScriptedProvider

    init(_ there: [TelephonyCredential]) {
        let held = Held(there)
        self.held = held
        self.provider = ScriptedProvider {
            $0.list = { _ in held.there.withLock { $0 } }
            $0.there = Set(there.map(\.id))
            $0.password = nil
            $0.create = { .created(.shown("made", named: $0.name ?? ""), ProviderTrace(httpStatus: 201)) }
            $0.delete = { id in
                held.there.withLock { $0.removeAll { $0.id == id } }
                held.deleted.withLock { $0.append(id.rawValue) }
                return nil
            }
        }
    }

    /// The ids of the credentials that were deleted.
    var deleted: [String] { self.held.deleted.withLock { $0 } }
}

extension TelephonyCredential {
    fileprivate static func withoutPassword(_ id: String, named name: String) -> TelephonyCredential {
        TelephonyCredential(id: ProviderID(rawValue: id), name: name, sipUsername: "user", sipPassword: nil)
    }
}
