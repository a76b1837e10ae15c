// SPDX-License-Identifier: Apache-2.0
// Writers that meet at the same few people again and again: tracked and plain ones, and workers that finish.

import Foundation
import Model
import Postgres
import Queue
import TestSupport

@testable import Intake
@testable import Onboarding

/// A connection of its own. Nothing is tried again, so the victim of a deadlock throws.
struct PeopleLoad: Sendable {
    private static let people = 12
    private static let installation = UUID()

    private let connection: PostgresConnection
    private var dice: FuzzDice
    private var clock = FairClock()
    private let worker = WorkerID(rawValue: UUID())

    init(_ number: UInt64, _ database: TestDatabase) async throws {
        self.connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
        self.dice = FuzzDice.apart(number)
    }

    /// What the writers need: sources, tenants and their tags, and all users.
    ///
    /// Users are locked in one order as far as they exist. A row that does not exist cannot be locked, so writers that
    /// make users several statements apart may meet crosswise, and are tried again.
    static func prepare(_ database: TestDatabase) async throws {
        try await WordBed.prepare(database)
        try await database.insert(Ledger.tag(), Ledger.tag(of: try TenantID("globex")))
        _ = try await database.admin.query("update dialtone.installation set id = \(Self.installation)")
        var clock = FairClock()
        for tenant in ["acme", "globex"] {
            let events = try (0..<Self.people).map { person in
                try NewEvent.of(
                    "u-\(person)", .live, UUID().uuidString, at: 0, from: WriterBed.source, tenant: TenantID(tenant))
            }
            try await database.commit(EventInsert.statements(for: events, &clock))
        }
    }

    /// Makes the server count what this connection has met, and closes it.
    func end() async throws {
        _ = try await self.connection.query("select 1 from pg_stat_force_next_flush()")
        await self.connection.close()
    }

    // MARK: Writers

    /// Several words of each of some people in one transaction, in any order.
    mutating func tellPeople() async throws {
        var words: [NewWord] = []
        for _ in 0..<4 + self.dice.upTo(16) {
            var said = self.said()
            said.user = self.person()
            if self.dice.chance(30) { said.source = WordBed.other }
            words.append(try said.word())
        }
        let batch = TrackedStatement.batch(of: words, &self.clock)
        _ = try await TrackedStatement.commit(batch, on: self.connection)
    }

    /// One word of each of some users in one transaction.
    mutating func tellUsers() async throws {
        var events: [UserKey: NewEvent] = [:]
        for _ in 0..<4 + self.dice.upTo(16) {
            let event = try NewEvent.of(
                self.person(), self.dice.chance(50) ? .live : .gone, UUID().uuidString, at: self.dice.upTo(10_000),
                from: WriterBed.source, tenant: TenantID(self.dice.one(of: ["acme", "globex"])))
            events[event.change.user] = event
        }
        let sorted = events.values.sorted { $0.change.user < $1.change.user }
        let statements = EventInsert.statements(for: sorted, &self.clock)
        _ = try await EventInsert.rows(of: statements, on: self.connection)
    }

    /// Takes some jobs and records a credential for each of them, as a worker does.
    mutating func finish() async throws {
        let rows = try await self.connection.query(
            """
            update dialtone.jobs
            set state = 'armed', epoch = epoch + 1, worker = \(self.worker), lease_until = now() + interval '1 hour',
                tag = tenant_id
            where id in (select id from dialtone.jobs where state = 'queued' limit 8 for no key update skip locked)
            returning id, epoch, tenant_id, user_id, generation
            """)
        let evidence = try rows.map { row in
            var columns = row.columns
            let lease = Lease(
                job: try columns.next(), epoch: try columns.next(), worker: self.worker, state: .armed)
            let tenant: TenantID = try columns.next()
            let user = UserKey(tenant: tenant, user: try columns.next())
            let generation: Generation = try columns.next()
            return Evidence(
                lease: lease, installation: Self.installation, user: user, generation: generation,
                providerID: ProviderID(rawValue: UUID().uuidString), name: UUID().uuidString, tag: tenant.rawValue,
                sealedUsername: [1], sealedPassword: [1], usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil,
                trace: Trace(httpStatus: 201))
        }
        guard !evidence.isEmpty else { return }
        for result in try await self.connection.pipeline([Evidence.record(evidence)]).joined() { _ = try result.get() }
    }

    private mutating func person() -> String { "u-\(self.dice.upTo(Self.people))" }

    private mutating func said() -> Said {
        let minute = self.dice.upTo(10_000)
        let organization = self.dice.one(of: ["o1", "o2", "o3"])
        switch self.dice.upTo(8) {
        case 0...3: return .joins(organization, minute)
        case 4, 5: return .leaves(organization, minute)
        case 6: return .suspended(minute)
        default: return .exists(minute)
        }
    }
}
