// SPDX-License-Identifier: Apache-2.0
// Intake and finish take the locks of the same users in one order, so neither becomes the victim of a deadlock.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct CrossingTests {
    private static let users = 400
    private static let installation = UUID()

    @Test func `intake and finish of the same users never deadlock`() async throws {
        for round in 0..<4 {
            try await TestDatabase.with { database in
                let jobs = try await Self.armedJobs(database)
                let source = SourceID(rawValue: UUID())
                let events = jobs.reversed().map { job in
                    NewEvent(
                        id: EventID(at: Date()), source: source, deliveryID: "d-\(job.user.user)", receivedAt: Date(),
                        owner: "acme", change: UserChange(user: job.user, wanted: .gone, occurredAt: nil))
                }
                let insert =
                    [EventStatement.insert(events, places: ["acme": 1])]
                    + [EventStatement.amend(events)].compactMap(\.self)
                let evidence = jobs.map { Self.evidence($0) }
                let half = evidence.count / 2
                // Each statement runs once. There is no second try, so the victim of a deadlock would throw.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await Self.commit(insert, database) }
                    group.addTask { try await Self.commit(Evidence.record(Array(evidence[..<half])), database) }
                    group.addTask { try await Self.commit(Evidence.record(evidence[half...].reversed()), database) }
                    if round.isMultiple(of: 2) {
                        group.addTask {
                            _ = try await database.pool.query(
                                JobQueue.move(
                                    jobs.reversed().map { Transition(lease: $0.lease, to: .inDoubt, delay: .zero) }))
                        }
                    }
                    try await group.waitForAll()
                }
                let gone = try await database.admin.query(
                    "select count(*) from dialtone.users where wanted = 'gone' and status <> 'ready'"
                ).first?.decode(Int64.self)
                #expect(gone == Int64(Self.users), "what was asked last is what is wanted")
                let active = try await database.admin.query(
                    "select 1 from dialtone.credentials where status = 'active'")
                #expect(active.isEmpty, "a revoke closes what a finish beside it has recorded")
            }
        }
    }

    private static func commit(_ statements: [SQL], _ database: TestDatabase) async throws {
        let answers = try await database.pool.withConnection { try await $0.pipeline([statements]) }
        for answer in answers.joined() { _ = try answer.get() }
    }

    // MARK: Test bed

    private struct Armed {
        let user: UserKey
        let lease: Lease
    }

    private static func armedJobs(_ database: TestDatabase) async throws -> [Armed] {
        let worker = WorkerID(rawValue: UUID())
        try await database.admin.script(
            """
            update dialtone.installation set id = '\(Self.installation)';
            insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1');
            insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('acme', 1, 'acme');
            insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
            select 'acme', 'user-' || n, 'live', 'pending', now() from generate_series(1, \(Self.users)) n;
            insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, epoch, worker,
                                       lease_until, tag)
            select gen_random_uuid(), 'acme', 'user-' || n, 1, n, now(), now(), 'armed', 1, '\(worker.rawValue)',
                   now() + interval '1 hour', 'acme' from generate_series(1, \(Self.users)) n
            """)
        return try await database.admin.query("select id, user_id from dialtone.jobs order by place").map { row in
            var columns = row.columns
            let id: JobID = try columns.next()
            return Armed(
                user: UserKey(tenant: testTenant, user: try columns.next()),
                lease: Lease(job: id, epoch: 1, worker: worker, state: .armed))
        }
    }

    private static func evidence(_ job: Armed) -> Evidence {
        Evidence(
            lease: job.lease, installation: Self.installation, user: job.user, generation: 1,
            providerID: ProviderID(rawValue: "p-\(job.user.user)"), name: "n-\(job.user.user)", tag: "acme",
            sealedUsername: [1], sealedPassword: [1], usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil,
            trace: Trace(httpStatus: 201))
    }
}
