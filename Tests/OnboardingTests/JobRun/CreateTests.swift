// SPDX-License-Identifier: Apache-2.0
// A create is sent only when lease and limits permit it, and a rejection is charged only to the job at fault.

import Lifecycle
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct CreateTests {
    @Test func `a create is sent only while the lease has room for the whole HTTP deadline`() async throws {
        try await JobRunBed.with { bed in
            let provider = ScriptedProvider.willing()
            let late = try await bed.run(.armed(), on: provider, lease: .seconds(9))
            #expect(late.moved?.to == .scheduled && late.moved?.isCharged == false && provider.creates == 0)
            let timely = try await bed.run(.armed(), on: provider, lease: .seconds(30))
            guard case .owned = timely else { throw UnexpectedResult(result: timely) }
            #expect(provider.creates == 1)
        }
    }

    /// The words of the rejection do not matter. The tag holds as many as it may, so it stays full and the job needs
    /// the next shard.
    @Test func `a rejection at a full tag is not charged, and the job drops that tag`() async throws {
        try await JobRunBed.with { bed in
            let provider = ScriptedProvider.rejecting(code: "99999", total: 500)
            let first = try await bed.run(.armed(), on: provider)
            #expect(first.moved?.to == .scheduled && first.moved?.isCharged == true, "the list may lag")
            #expect((first.moved?.delay ?? .zero) >= .seconds(3))
            let uncounted = try await bed.run(.armed(attempts: 1), on: provider)
            #expect(uncounted.buried?.reason == "rejected", "half full, and no word of a tag: the job's own fault")
            let full = try await bed.run(.armed(), on: .rejecting(code: "99999", total: 980))
            #expect(full.moved?.dropsTag == true && full.moved?.isCharged == false)
            let rooms = try await bed.database.admin.query("select room, held from dialtone.tenant_tags")
                .map { "\(try $0.decode(Int32?.self, Int32.self))" }
            #expect(rooms == ["(Optional(980), 980)"])
        }
    }

    /// The limits refuse the job before it is armed again, so its quiet time stays over.
    @Test(arguments: [("connection:1", LimitScope.connection("1")), ("tenant:acme", LimitScope.tenant("acme"))])
    func `a job whose scope is stopped after its look is not armed and waits for the scope`(
        key: String, scope: LimitScope
    ) async throws {
        try await JobRunBed.with { bed in
            await bed.limits.openBreaker(scope, reason: "refused")
            let provider = ScriptedProvider.willing()
            let result = try await bed.run(.looking(quietIn: .seconds(-1)), on: provider)
            #expect(result.moved?.to == .scheduled && result.moved?.waitsFor == key)
            #expect(result.moved?.isDoubtful == true && result.moved?.landingTime == nil && provider.creates == 0)
        }
    }

    /// A rate lets creates through, one after another. The job's turn comes by itself.
    @Test func `a job that waits for a rate after its look is not set aside`() async throws {
        try await JobRunBed.with { bed in
            try await bed.limits.setRate(0.01, for: .connection("1"))
            let provider = ScriptedProvider.willing()
            while await bed.limits.takePermit(for: "1", of: "acme") == .granted {}
            let result = try await bed.run(.looking(quietIn: .seconds(-1)), on: provider)
            #expect(result.moved?.to == .inDoubt && result.moved?.waitsFor == nil && provider.creates == 0)
            #expect((result.moved?.delay ?? .zero) > .seconds(20))
        }
    }

    /// The next look need not wait for another quiet time: the old proof of absence stands.
    @Test func `a create that was provably not sent leaves the proof of absence standing`() async throws {
        try await JobRunBed.with { bed in
            for (outcome, stands) in [
                (.notSent("scripted"), true), (.inDoubt("status", ProviderTrace()), false),
                (.rateLimited(.seconds(1), ProviderTrace()), true),
            ] as [(CreateOutcome, Bool)] {
                var job = ClaimedJob.armed()
                job.life.trust.looksFirst = true
                try await bed.insert(job)
                let result = try await bed.run(job, on: ScriptedProvider { $0.create = { _ in outcome } })
                let moved = try #require(result.moved)
                _ = try await bed.database.pool.query(Transition.write([moved]))
                let row = try await bed.database.admin.query(
                    "delete from dialtone.jobs returning quiet_until <= clock_timestamp()"
                ).first
                #expect(try #require(row).decode(Bool.self) == stands)
            }
        }
    }

    @Test func `a job is armed only in the era that it was claimed in`() async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(Ledger.knownServer)
            let job = ClaimedJob.looking()
            try await bed.insert(job)
            let row = try await bed.database.admin.query("select era from dialtone.incarnation").first
            let era = try #require(row).decode(Int64.self)
            for (era, isArmed) in [(era - 1, false), (era, true)] {
                let statement = job.lease.renewed(lease: .seconds(30), landingTime: .seconds(40), era: era)
                #expect(try await bed.database.pool.query(statement).isEmpty != isArmed)
            }
        }
    }

    /// A visit has seen it, and told the job to look.
    @Test func `a job whose connection is stopped still finds its credential`() async throws {
        try await JobRunBed.with { bed in
            await bed.limits.openBreaker(.connection("1"), reason: "HTTP 403")
            let provider = ScriptedProvider { $0.list = { _ in [.shown("p", named: JobRunBed.name)] } }
            let result = try await bed.run(.looking(quietIn: .seconds(-1)), on: provider)
            guard case .owned = result else { throw UnexpectedResult(result: result) }
        }
    }

    /// A breaker's only probe is taken once, even with a look between the claim and the create.
    @Test func `a create that looks first takes only one permit`() async throws {
        try await JobRunBed.with { bed in
            await bed.limits.openBreaker(.connection("1"), reason: "HTTP 403")
            try await bed.limits.setRate(0.01, for: .connection("1"))
            try await bed.database.admin.script("update dialtone.provider_limits set probe_until = now()")
            var job = ClaimedJob.armed()
            job.life.trust.looksFirst = true
            try await bed.insert(job)
            let provider = ScriptedProvider.willing()
            let result = try await bed.run(job, on: provider, with: ProviderLimits(pool: bed.database.pool))
            guard case .owned = result else { throw UnexpectedResult(result: result) }
            #expect(provider.creates == 1)
        }
    }

    /// The next run finds the permit that this one did not use.
    @Test func `a run that sends nothing gives its permit back`() async throws {
        try await JobRunBed.with { bed in
            await bed.limits.openBreaker(.account, reason: "HTTP 401")
            try await bed.database.admin.script("update dialtone.provider_limits set probe_until = now()")
            let limits = ProviderLimits(pool: bed.database.pool)
            let provider = ScriptedProvider.willing()
            for _ in 1...3 {
                #expect(await limits.takePermits(64) == 1)
                _ = try await bed.run(.armed(wanted: .gone), on: provider, with: limits)
            }
            #expect(provider.creates == 0)
        }
    }
}
