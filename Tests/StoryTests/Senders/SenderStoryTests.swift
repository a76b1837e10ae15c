// SPDX-License-Identifier: Apache-2.0
// Every request of a sender with a preset, through HTTP to the user that it is about.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@Suite struct SenderStoryTests {
    /// 2026-11-23T12:00:00Z, at which the senders' payloads are fresh.
    static let clock = Date(timeIntervalSince1970: 1_795_435_200)

    @Test func `each sender's requests end as its sender means`() async throws {
        try await Story.with(clock: Self.clock) { story in
            var trials: [SenderTrial] = []
            for name in SentFolder.presets.keys.sorted() {
                let folder = try SentFolder(name)
                for one in try folder.cases() {
                    for isFixed in [false, true] {
                        guard isFixed ? folder.isFixed || !one.itemsOfFixed.isEmpty : !folder.isFixed else { continue }
                        let trial = try await SenderTrial(
                            one, of: folder, isFixed: isFixed, number: trials.count + 1, in: story)
                        try await trial.run()
                        trials.append(trial)
                    }
                }
            }
            #expect(trials.count > 120)
            try await story.waitUntilAtRest()
            for trial in trials { try await trial.expectUsers() }
            try await Self.expectNoCanary(in: story)
        }
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
