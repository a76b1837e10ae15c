// SPDX-License-Identifier: Apache-2.0
// Two tracked sources with organisations of two tenants, and what the ledger holds after their words.

import Foundation
import Model
import Postgres
import Queue
import TestSupport

@testable import Intake

enum WordBed {
    static let source = SourceID(rawValue: UUID())
    static let other = SourceID(rawValue: UUID())

    /// Whom the words are about, unless they say otherwise.
    static let person: UserID = {
        guard let id = UserID(rawValue: "u") else { preconditionFailure("not a user id") }
        return id
    }()

    /// Of both sources `o1` and `o2` are `acme`, `o3` is `globex`, and `none` is ignored. Others are not mapped.
    static func prepare(_ database: TestDatabase) async throws {
        try await database.insert(Ledger.tenant(), Ledger.tenant(try TenantID("globex")))
        for (place, source) in [Self.source, Self.other].enumerated() {
            try await database.insert(
                """
                insert into dialtone.sources (source_id, slug, hook_id, preset, is_tracked)
                values (\(source), \("people-\(place)"), \("hk_\(place)"), 'clerk', true)
                """)
            for (organization, tenant) in [("o1", "acme"), ("o2", "acme"), ("o3", "globex")] {
                try await Self.map(organization, to: tenant, of: source, database)
            }
            try await Self.map("none", to: nil, of: source, database)
        }
    }

    static func map(
        _ organization: String, to tenant: String?, of source: SourceID = WordBed.source, _ database: TestDatabase
    ) async throws {
        try await database.insert(
            """
            insert into dialtone.source_tenants (source_id, external_tenant, tenant_id)
            values (\(source), \(organization), \(tenant))
            on conflict (source_id, external_tenant) do update set tenant_id = excluded.tenant_id
            """)
    }

    /// What becomes of the writer's statements before they are run: a mutant changes them.
    typealias Change = @Sendable ([SQL]) -> [SQL]

    /// Commits each word by itself. Returns the outcomes, each with its detail.
    static func say(
        _ said: [Said], _ database: TestDatabase, changing change: @escaping Change = { $0 }
    ) async throws -> [String] {
        var told: [String] = []
        for one in said { told += try await Self.commit([try one.word()], database, changing: change) }
        return told
    }

    /// Commits the words in one transaction. Returns the outcomes in their order, each with its detail.
    static func commit(
        _ words: [NewWord], settling settlement: Settlement? = nil, _ database: TestDatabase,
        changing change: @escaping Change = { $0 }
    ) async throws -> [String] {
        try await database.pool.withConnection { connection in
            try await Self.results(of: words, settling: settlement, on: connection, changing: change).map { result in
                [result.outcome.rawValue, result.detail].compactMap(\.self).joined(separator: " ")
            }
        }
    }

    /// The results of one transaction, in the order of the words.
    static func results(
        of words: [NewWord], settling settlement: Settlement? = nil, on connection: PostgresConnection,
        changing change: Change = { $0 }
    ) async throws -> [TrackedResult] {
        var clock = FairClock()
        var batch = TrackedStatement.batch(of: words, settling: settlement, &clock)
        batch.statements = change(batch.statements)
        let found = try await TrackedStatement.commit(batch, on: connection)
        return words.compactMap { found[$0.id] }
    }

    /// Who is wanted where, as `acme u live`.
    static func users(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            "select tenant_id || ' ' || user_id || ' ' || wanted from dialtone.users order by tenant_id, user_id"
        ).map { try $0.decode(String.self) }
    }

    static func credentials(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query("select generation || ' ' || status from dialtone.credentials order by 1")
            .map { try $0.decode(String.self) }
    }

    /// What `user revoke` leaves, at a minute of the sender's morning.
    static func revokeByOperator(at minute: Int, _ database: TestDatabase) async throws {
        _ = try await database.admin.query(
            """
            update dialtone.users
            set wanted = 'gone', status = 'revoking', held_at = \(WriterBed.time(ofMinute: minute)),
                occurred_at = coalesce(occurred_at, '-infinity'), wished_by = 'operator', cause_id = null
            """)
    }
}
