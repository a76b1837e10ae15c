// SPDX-License-Identifier: Apache-2.0
// One job runs against a scripted provider: when it may create, which responses it believes, and what it records.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import TestSupport
import Testing
import Vault

@testable import Onboarding

@Suite struct JobRunTests {
    private static let installation = UUID()
    private static let user = UserKey(tenant: testTenant, user: testUser)

    @Test func `a create is sent only while the lease has room for the whole HTTP deadline`() async throws {
        try await Self.with { bed in
            let provider = Self.willing()
            let late = try await bed.run(Self.job(), on: provider, lease: .seconds(9))
            #expect(late.moved?.to == .scheduled && late.moved?.isCharged == false && provider.creates == 0)
            let timely = try await bed.run(Self.job(), on: provider, lease: .seconds(30))
            guard case .owned = timely else { throw Unexpected(result: "\(timely)") }
            #expect(provider.creates == 1)
        }
    }

    @Test func `a credential whose name the provider has cut short is recognised as ours`() async throws {
        try await Self.with { bed in
            let cut = String(Self.name.prefix(44))
            let provider = ScriptedProvider { $0.list = { _ in [Self.credential("p", named: cut)] } }
            let result = try await bed.run(Self.job(.looking, isDoubtful: true), on: provider)
            guard case .owned(let evidence) = result else { throw Unexpected(result: "\(result)") }
            #expect(evidence.providerID.rawValue == "p")
        }
    }

    @Test func `an expired credential with our name counts as absent`() async throws {
        try await Self.with { bed in
            let provider = ScriptedProvider {
                $0.list = { _ in [Self.credential("p", named: Self.name, isExpired: true)] }
            }
            let result = try await bed.run(Self.job(.looking, isDoubtful: true, quietIn: .seconds(9)), on: provider)
            #expect(result.moved?.to == .inDoubt && result.moved?.empties == 1)
        }
    }

    /// Pages shift while other credentials are made, so one credential may be on two of them.
    @Test func `a credential that a list shows twice is adopted once`() async throws {
        try await Self.with { bed in
            let provider = ScriptedProvider {
                $0.list = { _ in [Self.credential("p", named: Self.name), Self.credential("p", named: Self.name)] }
            }
            let result = try await bed.run(Self.job(.looking, isDoubtful: true), on: provider)
            guard case .owned = result else { throw Unexpected(result: "\(result)") }
            #expect(try await bed.database.admin.query("select 1 from dialtone.surplus").isEmpty)
        }
    }

    @Test func `a 404 of a delete is believed only while another known credential exists`() async throws {
        try await Self.with { bed in
            try await bed.own("witness")
            let gone = TelnyxFailure(.notFound)
            let stranger = ScriptedProvider { $0.delete = { _ in gone } }
            let job = Self.job(wanted: .gone, recorded: ProviderID(rawValue: "p"))
            #expect(try await bed.run(job, on: stranger).moved?.to == .scheduled)
            // A sweep with the same key has missed every credential.
            try await bed.database.admin.script("update dialtone.credentials set missing_since = now()")
            #expect(try await bed.run(job, on: stranger).moved?.to == .scheduled)
            let owner = ScriptedProvider {
                $0.delete = { _ in gone }
                $0.there = [ProviderID(rawValue: "witness")]
            }
            guard case .ended(let ending) = try await bed.run(job, on: owner) else {
                Issue.record("the delete is done")
                return
            }
            #expect(ending.how == .deleted(ProviderID(rawValue: "p")))
        }
    }

    /// The words of the rejection do not matter. The tag holds as many as it may, so it stays full and the job needs
    /// the next shard.
    @Test func `a rejection at a full tag is not charged, and the job drops that tag`() async throws {
        try await Self.with { bed in
            let provider = Self.refusing(code: "99999", total: 500)
            let first = try await bed.run(Self.job(), on: provider)
            #expect(first.moved?.to == .scheduled && first.moved?.isCharged == true, "the list may lag")
            #expect((first.moved?.delay ?? .zero) >= .seconds(3))
            let uncounted = try await bed.run(Self.job(attempts: 1), on: provider)
            #expect(uncounted.buried?.reason == "rejected", "half full, and no word of a tag: the job's own fault")
            let full = try await bed.run(Self.job(), on: Self.refusing(code: "99999", total: 980))
            #expect(full.moved?.dropsTag == true && full.moved?.isCharged == false)
            let rooms = try await bed.database.admin.query("select room, held from dialtone.tenant_tags")
                .map { "\(try $0.decode(Int32?.self, Int32.self))" }
            #expect(rooms == ["(Optional(980), 980)"])
        }
    }

    /// The limits refuse the job before it is armed again, so it need not repeat its looks.
    @Test func `a job refused before its create keeps the empty looks that permit it`() async throws {
        try await Self.with { bed in
            await bed.limits.openBreaker(.connection("1"), reason: "HTTP 403")
            let provider = Self.willing()
            let job = Self.job(.looking, isDoubtful: true, empties: 1, quietIn: .seconds(-1))
            let result = try await bed.run(job, on: provider)
            #expect(result.moved?.to == .inDoubt && result.moved?.empties == 1 && provider.creates == 0)
            #expect((result.moved?.delay ?? .zero) > .seconds(20))
        }
    }

    /// A breaker's only probe is taken once, even with a look between the claim and the create.
    @Test func `a create that looks first takes only one permit`() async throws {
        try await Self.with { bed in
            await bed.limits.openBreaker(.connection("1"), reason: "HTTP 403")
            try await bed.limits.setRate(0.01, for: .connection("1"))
            try await bed.database.admin.script("update dialtone.provider_limits set probe_until = now()")
            var job = Self.job()
            job.life.trust.looksFirst = true
            try await bed.insert(job)
            let provider = Self.willing()
            let result = try await bed.run(job, on: provider, with: ProviderLimits(pool: bed.database.pool))
            guard case .owned = result else { throw Unexpected(result: "\(result)") }
            #expect(provider.creates == 1)
        }
    }

    /// The next run finds the permit that this one did not use.
    @Test func `a run that sends nothing gives its permit back`() async throws {
        try await Self.with { bed in
            await bed.limits.openBreaker(.account, reason: "HTTP 401")
            try await bed.database.admin.script("update dialtone.provider_limits set probe_until = now()")
            let limits = ProviderLimits(pool: bed.database.pool)
            let provider = Self.willing()
            for _ in 1...3 {
                #expect(await limits.takePermits(64) == 1)
                _ = try await bed.run(Self.job(wanted: .gone), on: provider, with: limits)
            }
            #expect(provider.creates == 0)
        }
    }

    @Test func `without the sealing key nothing is created, and a found credential stays in doubt`() async throws {
        try await Self.with { bed in
            // The tenant's key is wrapped by another key than this process has.
            _ = try await bed.vault.sealer(for: "acme")
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            let locked = Bed(
                database: bed.database, vault: Vault(keys: TenantKeys(pool: bed.database.pool, kek: kek)),
                limits: bed.limits)
            let provider = Self.willing()
            let result = try await locked.run(Self.job(), on: provider)
            #expect(result.moved?.to == .scheduled && result.moved?.isFailure == true && provider.creates == 0)
            let there = ScriptedProvider { $0.list = { _ in [Self.credential("p", named: Self.name)] } }
            var job = Self.job(.looking, isDoubtful: true)
            job.life.failures = 4
            let found = try await locked.run(job, on: there)
            #expect(found.moved?.to == .inDoubt && found.moved?.isCharged == false && found.moved?.isFailure == true)
            #expect(found.moved.map { $0.delay >= .seconds(8) } == true, "not a call a second while the key is away")
        }
    }

    /// The list shows no password. The job asks for the credential by id, and seals the password of that response.
    @Test func `a credential listed without its password is fetched by id`() async throws {
        try await Self.with { bed in
            let provider = ScriptedProvider {
                $0.list = { _ in
                    [
                        TelephonyCredential(
                            id: ProviderID(rawValue: "p"), name: Self.name, sipUsername: nil, sipPassword: nil)
                    ]
                }
                $0.there = [ProviderID(rawValue: "p")]
            }
            let result = try await bed.run(Self.job(.looking, isDoubtful: true), on: provider)
            guard case .owned(let evidence) = result else { throw Unexpected(result: "\(result)") }
            let opened = try await bed.vault.open(
                evidence.sealedPassword,
                .credential("sealed_password", of: Self.user, generation: 1, ProviderID(rawValue: "p")))
            #expect(opened.reveal() == "password")
        }
    }

    // MARK: Test bed

    private struct Bed {
        let database: TestDatabase
        let vault: Vault
        let limits: ProviderLimits

        func run(
            _ job: ClaimedJob, on api: ScriptedProvider, lease: Duration = .seconds(30),
            with limits: ProviderLimits? = nil
        ) async throws -> JobResult {
            let provider = GuardedProvider(api: api, limits: limits ?? self.limits)
            let run = JobRun(
                provider: provider, pool: self.database.pool, vault: self.vault,
                throttledLog: ThrottledLog(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
                witness: Witness(pool: self.database.pool, provider: provider),
                names: CredentialName(installation: JobRunTests.installation), rules: LifeRules(), lease: .seconds(30),
                tagCapacity: 980, deadline: .seconds(10), random: { 0 })
            return await run.run(job, leaseEnd: .now + lease)
        }

        /// Inserts the job's row as its claim has left it.
        func insert(_ job: ClaimedJob) async throws {
            _ = try await self.database.admin.query(
                """
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                values (\(job.lease.job), \(job.user.tenant), \(job.user.user), 1, 1, now(), now(), \(job.lease.state),
                        \(job.lease.epoch), \(job.lease.worker), now() + interval '1 hour', 'acme')
                """)
        }

        /// Inserts an active credential of another user.
        func own(_ id: String) async throws {
            try await self.database.admin.script(
                """
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index)
                values ('acme', 'other', 1, '\(id)', 'other', 'acme', 'active', '', '', decode(repeat('00', 16), 'hex'))
                """)
        }
    }

    private static func with(_ work: (Bed) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1');
                insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('acme', 1, 'acme')
                """)
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            try await work(
                Bed(
                    database: database, vault: Vault(keys: TenantKeys(pool: database.pool, kek: kek)),
                    limits: ProviderLimits(pool: database.pool)))
        }
    }

    private static func job(
        _ phase: JobLife.Phase = .armed, wanted: Wanted = .live, recorded: ProviderID? = nil, isDoubtful: Bool = false,
        attempts: Int = 0, empties: Int = 0, quietIn: Duration? = nil
    ) -> ClaimedJob {
        ClaimedJob(
            lease: Lease(
                job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()),
                state: phase == .armed ? .armed : .looking),
            user: Self.user, connectionID: "1", tag: "acme",
            life: JobLife(
                generation: 1, phase: phase, wanted: wanted, wantedGeneration: 1, recorded: recorded,
                isDoubtful: isDoubtful, attempts: attempts, empties: empties, quietIn: quietIn))
    }

    private static var name: String {
        CredentialName(installation: Self.installation).name(for: Self.user, generation: 1)
    }

    private static func credential(
        _ id: String, named name: String, isExpired: Bool = false
    ) -> TelephonyCredential {
        TelephonyCredential(
            id: ProviderID(rawValue: id), name: name, expired: isExpired, sipUsername: "user",
            sipPassword: Secret("password"))
    }

    private static func willing() -> ScriptedProvider {
        ScriptedProvider {
            $0.create = { .created(Self.credential("made", named: $0.name ?? ""), ProviderTrace(httpStatus: 201)) }
        }
    }

    private static func refusing(code: String, total: Int) -> ScriptedProvider {
        ScriptedProvider {
            $0.create = { _ in
                .rejected(
                    status: 422, ProviderWords(code: code, text: "It cannot be done."), ProviderTrace(httpStatus: 422))
            }
            $0.total = total
        }
    }
}

private struct Unexpected: Error {
    let result: String
}

extension JobResult {
    fileprivate var moved: Transition? { if case .moved(let transition) = self { transition } else { nil } }
    fileprivate var buried: Burial? { if case .buried(let burial) = self { burial } else { nil } }
}
