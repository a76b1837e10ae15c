// SPDX-License-Identifier: Apache-2.0
// `dialtone tail --from` goes back by an hour at most, and does not keep silent about it.

import Foundation
import TestSupport
import Testing

@Suite struct TailPlaceTests {
    @Test func `a place of more than an hour ago is said to be moved, and a later one is not`() async throws {
        // The service knows no such tenant, so the command ends.
        let api = try StandIn { _ in .reply(404) }
        defer { api.stop() }
        let environment = [
            "DIALTONE_URL": "http://127.0.0.1:\(api.port)", "DIALTONE_API_KEY": "dtk_of_the_test",
            "DIALTONE_TENANT": "acme",
        ]
        let now = Date().timeIntervalSince1970
        for (ago, isMoved) in [(7200.0, true), (60.0, false)] {
            let place = "\(Int64((now - ago) * 1_000_000))"
            let ended = try await Program.run(["tail", "--from", place], environment)
            #expect(ended.code == 3 && ended.output.isEmpty, "\(ended)")
            let words = "dialtone: --from is more than an hour ago, so what is told begins an hour ago\n"
            #expect(ended.errors.contains(words) == isMoved, "\(ended)")
        }
        let plain = try await Program.run(["tail"], environment)
        #expect(!plain.errors.contains("an hour ago"), "\(plain)")
    }

    @Test func `the tail of a tenant that the database does not know ends at once`() async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                let ended = try await desk.run(["tail", "--tenant", "nope"])
                #expect(ended.code == 3 && ended.output.isEmpty && ended.errors.contains("nope"), "\(ended)")
            }
        }
    }
}
