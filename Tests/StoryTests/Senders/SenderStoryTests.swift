// SPDX-License-Identifier: Apache-2.0
// Every request of the senders' folders, through HTTP to the user that it is about.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct SenderStoryTests {
    /// 2026-11-23T12:00:00Z, at which the senders' payloads are fresh.
    static let clock = Date(timeIntervalSince1970: 1_795_435_200)

    @Test func `each sender's requests end as its sender means`() async throws {
        let folders = try SentFolder.all()
        #expect(folders.count == 27)
        try await Self.withKeys { story in
            var trials: [SenderTrial] = []
            for folder in folders where folder.tenants != .named {
                for one in try Self.requests(of: folder) {
                    for tenants in [SentFolder.Tenants.table, .fixed]
                    where tenants == folder.tenants || (tenants == .fixed && !one.itemsOfFixed.isEmpty) {
                        let trial = try await SenderTrial(
                            one, of: folder, tenants, number: trials.count + 1, in: story)
                        try await trial.run()
                        trials.append(trial)
                    }
                }
            }
            #expect(trials.count > 240)
            try await story.waitUntilAtRest()
            for trial in trials { try await trial.expectUsers() }
            try await Self.expectNoCanary(in: story)
        }
    }

    /// One after the other, because all of them are about one user of one tenant.
    @Test func `the canonical sender's requests end as it means`() async throws {
        let folder = try SentFolder("standard")
        try await Self.withKeys { story in
            for (number, one) in try Self.requests(of: folder).enumerated() {
                let trial = try await SenderTrial(one, of: folder, .named, number: number, in: story)
                try await trial.run()
                try await story.waitUntilAtRest()
                try await trial.expectUsers()
            }
        }
    }

    /// Each has a secret and a time of its own.
    @Test func `the vectors that senders have published are proven`() async throws {
        var count = 0
        for folder in try SentFolder.all() {
            for one in try folder.cases() {
                guard let clock = one.knownAnswer?.clock else { continue }
                try await Self.withKeys(at: clock) { story in
                    let trial = try await SenderTrial(one, of: folder, folder.tenants, number: 1, in: story)
                    try await trial.run()
                }
                count += 1
            }
        }
        #expect(count == 3)
    }

    /// Runs a service whose senders publish their keys on this machine.
    private static func withKeys(at clock: Date = clock, _ work: (Story) async throws -> Void) async throws {
        try await JWKSServer.with(try SentFolder.keySets()) { server in
            try await Story.with(clock: clock, fetchKeys: server.fetch) { try await work($0) }
        }
    }

    /// The cases at the usual time, and a request that stands beside them.
    private static func requests(of folder: SentFolder) throws -> [SentCase] {
        let cases = try folder.cases().filter { $0.knownAnswer == nil }
        guard folder.name == "cloudevents" else { return cases }
        let item = SentCase.Item(action: .provision, user: "u|78 Ż", tenant: "globex")
        return cases + [try folder.request("binary.created.http", item)]
    }

    /// What a sender's body holds as a secret is nowhere in the database as it is.
    private static func expectNoCanary(in story: Story) async throws {
        let tables = try await story.rows(
            "select tablename::text from pg_tables where schemaname = 'dialtone' order by tablename")
        #expect(tables.contains("quarantine"))
        for table in tables {
            let hits = try await story.rows(
                "select 'x' from dialtone.\(unsafeText: table) line where line::text like '%CANARY%' limit 1")
            #expect(hits.isEmpty, "\(table)")
        }
    }
}
