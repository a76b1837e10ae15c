// SPDX-License-Identifier: Apache-2.0
// A job in doubt whose scope is stopped waits aside after one look, and looks again before it creates.

import Foundation
import Lifecycle
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct StoppedDoubtTests {
    @Test func `a job in doubt waits for its scope after one look, and looks again before its create`() async throws {
        try await Self.with { bed in
            let provider = ScriptedProvider.willing()
            try await Self.put(Self.look(bed, provider), in: bed)
            #expect(try await Self.row(bed) == "scheduled doubtful connection:1 acme quiet never")
            // Neither time nor a stopped scope lets it go.
            _ = try await bed.database.admin.query(Rescue.promote(limit: 500))
            let free = try await bed.database.admin.query(LetGo.statement(limit: 500))
            let due = try await bed.database.pool.query(ClaimedJob.doubtful(limit: 16, Self.terms))
            #expect(free.isEmpty && due.isEmpty)
            #expect(provider.lists.map(\.tag) == [nil, "acme"] && provider.creates == 0)
            #expect(try await Self.log(bed) == ["in_doubt looking", "looking scheduled"])

            try await bed.database.insert("update dialtone.provider_limits set breaker = 'closed'")
            let back = try await bed.database.admin.query(LetGo.statement(limit: 500))
            #expect(back.count == 1)
            #expect(try await Self.row(bed) == "in_doubt doubtful acme quiet due", "in doubt as before")
            let result = try await Self.look(bed, provider)
            guard case .owned = result else { throw UnexpectedResult(result: result) }
            // Another thorough look, of the name and of the tag.
            #expect(provider.lists.map(\.tag) == [nil, "acme", nil, "acme"] && provider.creates == 1)
        }
    }

    /// No create of it was ever sent. It came from a look that it owed, and owes it again.
    @Test func `a job that only had to look looks again when it is let go`() async throws {
        try await Self.with { bed in
            try await bed.database.insert("update dialtone.jobs set in_doubt = false, quiet_until = null")
            try await Self.put(Self.look(bed, .willing()), in: bed)
            #expect(try await Self.row(bed) == "scheduled must-look connection:1 acme never")
            try await bed.database.insert("update dialtone.provider_limits set breaker = 'closed'")
            _ = try await bed.database.admin.query(LetGo.statement(limit: 500))
            let row = try await bed.database.pool.query(
                ClaimedJob.queued(limit: 1, from: .beginning, Self.terms)
            ).first
            let job = try ClaimedJob.read(#require(row), state: .armed, worker: Self.terms.worker).job
            #expect(job.life.trust.looksFirst && job.mustLook)
        }
    }

    /// Jobs are let go by the row of their scope.
    @Test func `a fail-over that has lost the scope's row keeps no job waiting`() async throws {
        try await Self.with { bed in
            let aside = try await Self.look(bed, .willing())
            try await bed.database.insert("delete from dialtone.provider_limits")
            try await Self.put(aside, in: bed)
            #expect(try await Self.row(bed) == "scheduled doubtful acme quiet due")
        }
    }

    @Test func `a word that comes during the look keeps its job from being set aside`() async throws {
        try await Self.with { bed in
            let aside = try await Self.look(bed, .willing())
            try await Self.ask(bed)
            try await Self.put(aside, in: bed)
            #expect(try await Self.row(bed) == "scheduled doubtful acme quiet due")
            _ = try await bed.database.admin.query(Rescue.promote(limit: 500))
            #expect(try await Self.row(bed) == "in_doubt doubtful acme quiet due")
        }
    }

    /// The look was answered before the credential could be seen.
    @Test func `a credential that is seen during the look keeps its job from being set aside`() async throws {
        try await Self.with { bed in
            let aside = try await Self.look(bed, .willing())
            try await bed.database.commit(SweepCorrections.makeLook(Self.found))
            try await Self.put(aside, in: bed)
            _ = try await bed.database.admin.query(Rescue.promote(limit: 500))
            #expect(try await Self.row(bed) == "in_doubt doubtful must-look acme quiet due")
        }
    }

    @Test(arguments: [false, true])
    func `a word of its sender and a credential that is seen end its waiting`(isSeen: Bool) async throws {
        try await Self.with { bed in
            try await Self.put(Self.look(bed, .willing()), in: bed)
            if isSeen {
                try await bed.database.commit(SweepCorrections.makeLook(Self.found))
            } else {
                try await Self.ask(bed)
                _ = try await bed.database.admin.query(Rescue.promote(limit: 500))
            }
            #expect(try await Self.row(bed) == "in_doubt doubtful acme quiet due")
        }
    }

    // MARK: Test bed

    private static let terms = ClaimTerms(
        worker: WorkerID(rawValue: UUID()), era: 1, lease: .seconds(30), landingTime: .seconds(40), tagCapacity: 980)

    private static let found = FoundCredential(
        id: ProviderID(rawValue: "late"), owner: OwnedName(user: testUserKey, generation: 1), tag: "acme")

    /// A job in doubt whose quiet time is over, and whose connection is stopped.
    private static func with(_ work: (JobRunBed) async throws -> Void) async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(
                Ledger.knownServer, Ledger.user(), Ledger.job(state: .inDoubt, isDoubtful: true, tag: "acme"),
                "update dialtone.jobs set quiet_until = clock_timestamp() - interval '1 second'")
            await bed.limits.openBreaker(.connection("1"), reason: "HTTP 403")
            try await work(bed)
        }
    }

    /// Claims the job and runs it, by the limits as they stand now.
    private static func look(_ bed: JobRunBed, _ provider: ScriptedProvider) async throws -> JobResult {
        let row = try await bed.database.pool.query(ClaimedJob.doubtful(limit: 1, Self.terms)).first
        let job = try ClaimedJob.read(#require(row), state: .looking, worker: Self.terms.worker).job
        return try await bed.run(job, on: provider, with: ProviderLimits(pool: bed.database.pool))
    }

    private static func put(_ result: JobResult, in bed: JobRunBed) async throws {
        let moved = try await bed.database.pool.query(Transition.write([#require(result.moved)]))
        #expect(moved.count == 1)
    }

    /// Wants something of the user, as intake does.
    private static func ask(_ bed: JobRunBed) async throws {
        try await bed.database.insert(
            """
            with wanting as (
                select tenant_id, user_id, generation, \(ServerClock.now) as place, clock_timestamp() as enqueued_at
                from dialtone.users)
            \(JobQueue.enqueue(from: "wanting"))
            """)
    }

    /// The job's state and doubt, what it waits for, its tag, and when it is due.
    private static func row(_ bed: JobRunBed) async throws -> String {
        let row = try await bed.database.admin.query(
            """
            select concat_ws(' ', state, case when in_doubt then 'doubtful' end,
                             case when must_look then 'must-look' end, waits_for, tag,
                             case when quiet_until < clock_timestamp() then 'quiet' end,
                             case when run_at = 'infinity' then 'never' when run_at <= clock_timestamp() then 'due' end)
            from dialtone.jobs
            """
        ).first
        return try #require(row).decode(String.self)
    }

    private static func log(_ bed: JobRunBed) async throws -> [String] {
        try await bed.database.admin.query(
            "select from_state || ' ' || to_state from dialtone.job_log order by at"
        ).map { try $0.decode(String.self) }
    }
}
