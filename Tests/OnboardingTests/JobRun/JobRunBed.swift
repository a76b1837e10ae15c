// SPDX-License-Identifier: Apache-2.0
// What the tests of a job's run begin with: a tenant in the ledger, a vault, the limits, and a claimed job.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import TestSupport
import Vault

@testable import Onboarding

/// One worker's surroundings. Its jobs are about generation 1 of `testUserKey`.
struct JobRunBed {
    let database: TestDatabase
    let vault: Vault
    let limits: ProviderLimits

    private static let names = CredentialName(installation: UUID())

    /// The name that the user's credential has at the provider.
    static var name: String { Self.names.name(for: testUserKey, generation: 1) }

    static func with(_ work: (JobRunBed) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag())
            try await work(
                JobRunBed(
                    database: database, vault: try Self.vault(on: database),
                    limits: ProviderLimits(pool: database.pool)))
        }
    }

    /// The same worker with a key-encryption key that opens no key of the tenant.
    func withAnotherKey() throws -> JobRunBed {
        JobRunBed(database: self.database, vault: try Self.vault(on: self.database), limits: self.limits)
    }

    /// Returns a vault with a new key-encryption key.
    private static func vault(on database: TestDatabase) throws -> Vault {
        let text = LocalKeyEncryptionKey.generate()
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        return Vault(keys: TenantKeys(pool: database.pool, kek: kek))
    }

    /// Runs the job with a lease of that length. A create may take ten seconds.
    func run(
        _ job: ClaimedJob, on api: ScriptedProvider, lease: Duration = .seconds(30), with limits: ProviderLimits? = nil,
        strayNames: StrayNames? = nil, tagLists: TagLists = TagLists()
    ) async throws -> JobResult {
        let provider = GuardedProvider(api: api, limits: limits ?? self.limits)
        let run = JobRun(
            provider: provider, pool: self.database.pool, vault: self.vault,
            throttledLog: ThrottledLog(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            witness: Witness(pool: self.database.pool, provider: provider), names: Self.names, rules: LifeRules(),
            lease: .seconds(30), tagCapacity: 980, deadline: .seconds(10), random: { 0 }, strayNames: strayNames,
            tagLists: tagLists)
        return await run.run(job, leaseEnd: .now + lease)
    }

    /// Inserts the job's row as its claim has left it.
    func insert(_ job: ClaimedJob) async throws {
        try await self.database.insert(
            Ledger.job(
                job.lease.job, of: job.user, state: job.lease.state, epoch: job.lease.epoch, worker: job.lease.worker,
                tag: "acme"))
    }

    /// Inserts an active credential of another user.
    func own(_ id: String) async throws {
        let other = UserKey(tenant: testTenant, user: try UserID("other"))
        try await self.database.insert(Ledger.credential(ProviderID(rawValue: id), of: other, name: "other"))
    }
}

extension ClaimedJob {
    /// A job that may create, or delete the recorded credential.
    static func armed(wanted: Wanted = .live, recorded: ProviderID? = nil, attempts: Int = 0) -> ClaimedJob {
        self.claimed(
            .armed,
            JobLife(
                generation: 1, phase: .armed, wanted: wanted, wantedGeneration: 1, recorded: recorded,
                attempts: attempts))
    }

    /// A job in doubt, claimed for a look. Its quiet time ends in `quietIn`; nil means that it has none yet.
    static func looking(quietIn: Duration? = nil) -> ClaimedJob {
        self.claimed(
            .looking,
            JobLife(
                generation: 1, phase: .looking, wanted: .live, wantedGeneration: 1, isDoubtful: true,
                quietIn: quietIn))
    }

    private static func claimed(_ state: JobState, _ life: JobLife) -> ClaimedJob {
        ClaimedJob(
            lease: Lease(job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: state),
            user: testUserKey, connectionID: "1", tag: "acme", life: life)
    }
}

extension JobResult {
    var moved: Transition? { if case .moved(let transition) = self { transition } else { nil } }
    var buried: Burial? { if case .buried(let burial) = self { burial } else { nil } }
}

/// A job has ended in another way than its test says.
struct UnexpectedResult: Error {
    let result: JobResult
}
