// SPDX-License-Identifier: Apache-2.0
// A source with events in quarantine, an operator's replay beside it, and what the tables hold.

import Foundation
import Model
import Postgres
import TestSupport
import Testing
import Vault

@testable import Intake

struct ReplayBed {
    typealias Bed = MappedIntakeTests.Bed

    let bed: Bed
    /// An hour after the events came.
    let replay: EventReplay
    let reader: EventReader
    private let configuration: String

    /// Lends a source without a mapping of its organisations.
    static func with(_ configuration: String, _ work: (ReplayBed) async throws -> Void) async throws {
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let source = try await registry.create(
                slug: "s", tenant: nil, allowedTenants: [], configuration: Array(configuration.utf8))
            let later = MappedIntakeTests.noon + 3600
            try await work(
                ReplayBed(
                    bed: Bed(registry: registry, intake: intake, database: database, source: source),
                    replay: EventReplay(pool: registry.pool, vault: registry.vault, now: { later }),
                    reader: EventReader(pool: registry.pool), configuration: configuration))
        }
    }

    var database: TestDatabase { self.bed.database }

    /// Sends bytes with headers besides the proof.
    func send(_ body: [UInt8], _ headers: [String: String] = [:]) async throws -> Receipt {
        let authorization = "Bearer \(try #require(self.bed.source.secret).reveal())"
        let all = headers.merging(["authorization": authorization]) { first, _ in first }
        return try await self.bed.intake.receive(
            Delivery(
                hook: self.bed.source.hookID, headers: { name in all[name].map { [$0] } ?? [] }, body: body,
                receivedAt: MappedIntakeTests.noon))
    }

    /// Sends events in one request. Returns their ids.
    func send(_ events: String...) async throws -> [EventID] {
        try await self.bed.send(#"{"events":[\#(events.joined(separator: ","))]}"#).items.map(\.eventID)
    }

    func map(_ organization: String, to tenant: String? = "acme") async throws {
        try await self.bed.registry.map(
            organization, to: try tenant.map { try TenantID($0) }, slug: "s", tenant: nil)
    }

    /// Mends the mapping, as a new version.
    func mend(_ old: String, _ new: String) async throws {
        try #require(self.configuration.contains(old))
        let text = self.configuration.replacing(old, with: new)
        _ = try await self.database.admin.query(
            """
            update dialtone.sources set config = \(text)::json, config_version = config_version + 1
            where source_id = \(self.bed.source.id)
            """)
    }

    func run(_ event: EventID, isDry: Bool = false) async throws -> ReplayReport {
        try #require(try await self.replay.replay(event, isDry: isDry))
    }

    /// Tries all open events of the source. None fails.
    func runAll(reason: String? = nil) async throws -> [ReplayReport] {
        let run = await self.replay.replay(of: self.bed.source.id, reason: reason, isDry: false)
        if let failure = run.failure { throw failure }
        return run.reports
    }

    /// User, wish and generation of all users, and the number of their jobs.
    func users() async throws -> [String] {
        try await self.bed.rows(
            """
            select concat_ws(' ', user_id, wanted, generation, (
                select count(*) from dialtone.jobs where jobs.user_id = users.user_id))
            from dialtone.users order by user_id
            """)
    }

    /// The rows of quarantine in the order of their places in a request: reason, what settled it, and whether it holds the body.
    func quarantine() async throws -> [String] {
        try await self.bed.rows(
            """
            select concat_ws(' ', reason, settled_by, case when sealed is not null then 'body' end)
            from dialtone.quarantine join dialtone.events using (event_id) order by number, item
            """)
    }

    /// The bodies that are kept, opened.
    func bodies() async throws -> [KeptRequest] {
        var kept: [KeptRequest] = []
        for row in try await self.database.admin.query(
            "select body_id, sealed from dialtone.quarantine where sealed is not null order by event_id")
        {
            var columns = row.columns
            let place = KeptRequest.place(try columns.next(), of: self.bed.source.id, "-")
            let sealed: Bytes = try columns.next()
            kept.append(try KeptRequest(try await self.bed.registry.vault.open(sealed.value, place)))
        }
        return kept
    }

    /// All rows of all tables, as one hash for each table.
    func tables() async throws -> [String] {
        let names = try await self.bed.rows(
            "select tablename::text from pg_tables where schemaname = 'dialtone' order by tablename")
        var hashes: [String] = []
        for name in names {
            hashes += try await self.bed.rows(
                """
                select '\(unsafeText: name) ' || md5(coalesce(string_agg(row::text, '|' order by row::text), ''))
                from dialtone.\(unsafeText: name) row
                """)
        }
        return hashes
    }
}
